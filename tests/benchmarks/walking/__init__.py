"""Walking speed: pipeflow beside its peers, over one history on one server process.

`server` is that process. Every measurement runs in a fresh process of its own: `contestant` walks
one history with one of `contestants/`, `many_persons` walks many at the burst limit, `importing`
imports. Each prints one JSON object; `processes` starts them and reads it.
"""
