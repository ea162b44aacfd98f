"""A model of a history that changes while it is walked, and a judge of what the walk yields.

`python -m tests.walking.model --walks 20000 --seed N`

```
history   records in Pipedrive's order, and what can happen to them
server    answers from some moment between request and answer, clamped or reworded
walks     one random walk, and what is wrong with it
figures   many of them
```
"""
