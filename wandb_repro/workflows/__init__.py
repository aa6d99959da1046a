"""What a command does, joined from the layers below."""
