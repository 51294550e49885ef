"""What several wire formats share: reading JSON bodies and forms, framing streams, media sizes."""
