"""How what the apps print gets into their logs; see process.py."""
