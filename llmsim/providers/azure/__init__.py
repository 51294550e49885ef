"""Azure OpenAI: OpenAI's API behind deployments, keys and a content filter of Azure's.

``provider`` is the value that the registry has, ``calls`` reads the paths, ``codecs`` put what is
Azure's around OpenAI's codecs. Facts are from Azure's REST reference, from openai 3.57's
``lib.azure`` and from what the live service sends.
"""
