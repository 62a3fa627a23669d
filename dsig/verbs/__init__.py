"""The verbs, one a module, each readable top-down. `dsig.sign` is the function `dsig.verbs.sign.sign`."""
