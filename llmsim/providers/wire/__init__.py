"""What several wire formats share, without any provider's name or rules.

Read in this order: ``decoding`` (JSON bodies, and what is wrong with one), ``sse`` (frames of a
stream), ``numbered_events`` (frames with a name and a number each). ``multipart`` reads forms with
files, ``attachments`` the size of a picture, ``partial_json`` JSON that was cut short, and
``json_lists`` writes long lists.
"""
