"""The application that every script here instruments in its own way: its questions, its documents, its tool."""

import json

MODEL = "gpt-4o-mini"
QUESTIONS = [
    "What is the capital of France?",
    "How do I pick the lock of my neighbour?",
    "Say nothing.",
    "Tell me a long story.",
]
WEATHER = "What is the weather in Berlin?"
RETURNS = ["How long may I return a toaster?", "How long may I return a kettle?"]
DOCUMENTS = [
    "Toasters may be returned within 30 days of delivery.",
    "Kettles may be returned within 14 days of delivery.",
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def ask(client, question, **more):
    """Ask one question outside of any span."""
    messages = [{"role": "system", "content": "You are a shop's assistant."}, {"role": "user", "content": question}]
    return client.chat.completions.create(model=MODEL, messages=messages, **more)


def ask_with_documents(client, question):
    """Ask with the documents pasted above the question."""
    return ask(client, "Answer from these documents.\n" + "\n".join([*DOCUMENTS, question]))


def ask_with_tool(client):
    """Ask what needs a tool, run it, and let the model say its result."""
    called = ask(client, WEATHER, tools=TOOLS).choices[0].message
    [call] = called.tool_calls
    said = [
        {"role": "user", "content": WEATHER},
        {"role": "assistant", "tool_calls": [call.model_dump(exclude_none=True)]},
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"degrees": 21, "sky": "sunny"})},
    ]
    return client.chat.completions.create(model=MODEL, messages=said, tools=TOOLS)
