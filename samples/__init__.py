"""Sample documents and the script that writes them."""
