"""What users can do, one file per noun; the outside world only through interfaces."""
