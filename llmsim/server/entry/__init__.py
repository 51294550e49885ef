"""What happens to a request before its handler: bodies decoded, pages of other sites let in."""
