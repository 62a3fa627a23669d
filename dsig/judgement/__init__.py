"""What is answered: the axes of the report, what `--strict` and a site's policy make of them, and the verdict."""
