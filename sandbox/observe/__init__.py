"""What a running sandbox shows: targets, the page, comparisons, rehearsals."""
