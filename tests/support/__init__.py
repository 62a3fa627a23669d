"""What tests of several rooms share; nothing here uses the code under test to make an expectation."""
