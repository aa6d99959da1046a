"""What a training needs to go on as though it had not stopped: taken, put back, and missed."""
