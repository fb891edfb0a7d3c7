"""Langfuse: its SDK and its drop-in for OpenAI, which post to Langfuse's own path with Basic auth."""

import shop
from langfuse import get_client, propagate_attributes
from langfuse.openai import OpenAI

langfuse, client = get_client(), OpenAI()

for question in shop.QUESTIONS:
    shop.ask(client, question)
with (
    langfuse.start_as_current_observation(name="weather", as_type="agent"),
    propagate_attributes(trace_name="/weather"),
):
    shop.ask_with_tool(client)
for question in shop.RETURNS:
    with (
        langfuse.start_as_current_observation(name="returns", input=question),
        propagate_attributes(trace_name="/returns", metadata={"prompt_version": "7"}),
    ):
        with langfuse.start_as_current_observation(name="retrieve", as_type="retriever", input=question) as span:
            span.update(output=[{"id": str(n), "content": text} for n, text in enumerate(shop.DOCUMENTS)])
        shop.ask_with_documents(client, question)

langfuse.flush()
langfuse.shutdown()
