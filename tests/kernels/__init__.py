"""The tests of the walls between apps on the kernels of distributions, in a virtual machine each.

`run` boots each kernel of the Debian packages that it is given, with the machine's own files below
it, and runs tests of this checkout there. Not part of ``.ci/run``: it needs the packages, and up to
an hour for each kernel.
"""
