"""Who is asked what is in use: one module for each, all of them asked alike (`asking.Source`)."""
