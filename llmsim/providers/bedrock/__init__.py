"""AWS Bedrock: Converse, and InvokeModel of Anthropic's models and of Titan's embeddings.

``provider`` is the value that the registry has, ``calls`` reads the paths. Converse is put into
Anthropic's words and read by Anthropic's codec (``requests``), and answered in its own words
(``converse``, ``events``); InvokeModel is Anthropic's codec in AWS's event stream (``invoke``).
Shapes are those of the service model in botocore 1.44.
"""
