"""The providers and their wire formats. A codec translates between the bytes of one API and the
neutral terms of :mod:`llmsim.core`; it decides nothing, and knows no time and no configuration.

Read in this order: ``provider`` (what a provider is), ``registry`` (the one list of them),
``wire`` (what several wire formats share), then one provider's folder, OpenAI's ``chat`` being the
simplest API. Providers know nothing of each other, and only the registry knows them all.
"""
