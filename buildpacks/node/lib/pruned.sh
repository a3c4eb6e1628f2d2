#!/bin/sh
# Replaces a program that belonged to a package of devDependencies.
name=${0##*/}
echo "paas: $name came with a package of devDependencies, which are removed after the build." >&2
echo "Move the package to dependencies, or keep all: paas config:set NPM_CONFIG_PRODUCTION=false" >&2
exit 127
