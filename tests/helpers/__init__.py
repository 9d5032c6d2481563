"""What several test folders share: finding configs, tiny copies of them, images."""
