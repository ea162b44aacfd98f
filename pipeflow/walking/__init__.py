"""From single pages to a walk. Pure: no room here knows a connection or a clock.

```
plan          what a walk asks for, and the requests of its pages
paging        page after page: which request comes next, and how much of its page is wanted
├── joining       where pages join, and going back where they do not
│   └── seen          what was read, and which records of a page are new
│       ├── identity      what tells a record from all others
│       └── memory        collections that forget
├── standstill    when to give up
└── prefetching   pages under way ahead of the loop
many          many walks at once, as one stream
└── workers   who walks when, and what is brought
```
"""
