"""unittest: a server for the class, the environment for each test. `python -m unittest`."""

import os
import unittest
from unittest.mock import patch

from openai import OpenAI

import llmsim


class WeatherTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(llmsim.Server({"latency": {"profile": "instant"}}))

    def setUp(self):
        scope = self.server.scope(self.id().rpartition(".")[2])
        self.llmsim = scope.client()
        self.enterContext(patch.dict(os.environ, scope.env()))

    def test_weather(self):
        self.llmsim.add_mock({"response": {"content": "Sunny."}})
        answer = OpenAI().responses.create(model="gpt-5", input="How is the weather?")
        self.assertEqual(answer.output_text, "Sunny.")

    def test_nothing_is_left_of_other_tests(self):
        self.assertEqual(self.llmsim.requests(), [])
