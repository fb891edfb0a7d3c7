"""Which features there are, and how they are wired; a running exporter as a process.

application  builds the parts from the config, starts, reloads and stops them
serving      listens, and reacts to signals
"""
