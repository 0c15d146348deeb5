"""The application of `wince alerts run`: Faust carries records, state lies in Redis."""
