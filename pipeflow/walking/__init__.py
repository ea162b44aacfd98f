"""From single pages to a walk. Pure: no room here knows a connection or a clock.

```
plan          what a walk asks for, and the requests of its pages
paging        page after page: what comes next, what a page repeats, when to give up
├── seen      which records of a page are new
└── prefetching   pages under way ahead of the loop
many          many walks at once, as one stream
└── workers   who walks when, and what is brought
```
"""
