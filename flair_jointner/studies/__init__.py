"""Studies: configurations × seeds × data sets × training sizes, with a report."""
