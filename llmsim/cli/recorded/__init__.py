"""Commands about recorded traffic: it is recorded, looked at, sent again, and learnt from."""
