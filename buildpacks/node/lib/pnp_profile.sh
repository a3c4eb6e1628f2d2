# shellcheck shell=bash
# Sourced at the start of each instance of an app with yarn's Plug'n'Play: "node server.js" finds its
# packages as "yarn node server.js" does (https://yarnpkg.com/features/pnp).
if [[ -f /app/.pnp.loader.mjs ]]; then
    NODE_OPTIONS="--experimental-loader file:///app/.pnp.loader.mjs${NODE_OPTIONS:+ $NODE_OPTIONS}"
fi
export NODE_OPTIONS="--require /app/.pnp.cjs${NODE_OPTIONS:+ $NODE_OPTIONS}"
