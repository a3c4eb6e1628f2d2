// Live parts: everything else on a page works without this file.
"use strict";
