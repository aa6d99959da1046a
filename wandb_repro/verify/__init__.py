"""Two records are judged. Pure: values in, values out."""
