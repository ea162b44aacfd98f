"""The burst limit as a script that runs inside Redis, one call at a time, by the server's clock.

It is `pipeflow.limiting.queue` once more, for many processes. A request is first in `waiting`, a
sorted set by ticket, and `due` says until when it must have asked again, or it is dead and loses
its place. With its slot it moves to `sent`, whose score is the moment at which it no longer counts.
All else is in one hash. Times are microseconds since 1970 by `TIME`; a script's numbers are
doubles, which are exact that far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeflow.observing.events import BlockReason

__all__ = ["BLOCKED", "GRANTED", "REASONS", "SCRIPT", "WAIT"]

GRANTED: Final = 1
WAIT: Final = 2
BLOCKED: Final = 3

REASONS: Final[tuple[BlockReason, ...]] = ("cloudflare", "long_wait", "daily_budget")
"""A reason's place in this tuple is its number in the script, which counts from 1."""

SCRIPT: Final = """
local waiting, due, sent, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local op, id = ARGV[1], ARGV[2]
local window, limit = tonumber(ARGV[3]), tonumber(ARGV[4])

local TRAVEL = 500000        -- a request counts at the latest so long after it was sent
local SOON = 20000           -- so near a slot is granted with the wait, without a further look
local LATE = 100000          -- who has not looked again by then is passed, and keeps its place
local GRACE = 1000000        -- by then it is taken for dead
local LONGEST_NAP = 600000000
local PROBE_INTERVAL = 900000000
local MEMORY = 10000000      -- so long is remembered how much others use between two answers
local DAY = 86400000
local UNTIL = {'cloudflare_until', 'long_wait_until', 'daily_until'}
local GRANTED, WAIT, BLOCKED = 1, 2, 3

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local known, changed = {}, {}
local stored = redis.call('HGETALL', state)
for i = 1, #stored, 2 do known[stored[i]] = tonumber(stored[i + 1]) end

local function text(number) return string.format('%.0f', number) end
local function get(name) return known[name] or 0 end
local function put(name, value)
  value = math.floor(value)
  known[name] = value
  changed[#changed + 1] = name
  changed[#changed + 1] = text(value)
end

limit = known.limit or limit
local gap = window / limit

local function keep(reply)
  if #changed > 0 then
    redis.call('HSET', state, unpack(changed))
    local longest = 2 * DAY
    for _, name in ipairs(UNTIL) do
      longest = math.max(longest, (get(name) - now) / 1000 + DAY)
    end
    redis.call('PEXPIRE', state, text(longest))
  end
  return reply
end

local function forget()
  redis.call('ZREM', waiting, id)
  redis.call('ZREM', due, id)
  return redis.call('ZREM', sent, id)
end

local function drop_dead()
  local dead = redis.call('ZRANGEBYSCORE', due, '-inf', text(now), 'LIMIT', 0, 1000)
  for _, other in ipairs(dead) do
    if other ~= id then  -- this one is late, but lives
      redis.call('ZREM', waiting, other)
      redis.call('ZREM', due, other)
    end
  end
end

local function room_at(place)
  local others = now < get('others_until') and get('others') or 0
  local reserve = now < get('reserve_until') and get('reserve') or 0
  reserve = math.min(reserve, math.floor((limit - others) / 2))
  local held = redis.call('ZCOUNT', sent, '(' .. text(now), '+inf')
  local excess = held + place + others + reserve - limit + 1
  if excess <= 0 then return now end
  local at = now + excess * gap
  if excess <= held then
    local oldest = redis.call('ZRANGEBYSCORE', sent, '(' .. text(now), '+inf', 'WITHSCORES',
                              'LIMIT', excess - 1, 1)
    at = tonumber(oldest[2])
    if at > now + window then at = at - TRAVEL + get('latency') end  -- its answer will tell
    at = math.max(at, now + 1)
  end
  put('saturated_until', math.min(at, now + window) + window)
  if others > 0 then at = math.min(at, get('others_until')) end
  if reserve > 0 then at = math.min(at, get('reserve_until')) end
  return math.max(at, now + SOON / 4)
end

local function ahead()
  if now < get('reserve_until') then return 0 end
  local most = window / 2
  if now < get('saturated_until') then most = math.min(most, 2 * gap) end
  return math.min(most, math.max(0, now - get('pause_until')))
end

local function take(probe)
  redis.call('ZREMRANGEBYSCORE', sent, '-inf', text(now - TRAVEL))
  drop_dead()
  for reason, name in ipairs(UNTIL) do
    if get(name) > now and not (reason == 3 and probe > 0) then
      if reason == 3 and now >= get('probe_at') then
        probe = get('probe') + 1
        put('probe', probe)
        put('probe_at', now + PROBE_INTERVAL)
      else
        forget()
        return {BLOCKED, get(name) - now, reason, 0, 0}
      end
    end
  end
  if redis.call('ZSCORE', sent, id) then  -- the call before this one was not heard
    return {GRANTED, 0, get('granted'), now, probe}
  end
  local place = redis.call('ZRANK', waiting, id)
  if not place then
    put('ticket', get('ticket') + 1)
    redis.call('ZADD', waiting, text(get('ticket')), id)
    place = redis.call('ZCARD', waiting) - 1
  end
  -- Who is late has its turn first, as a rule: so they are those ahead.
  place = math.max(0, place - redis.call('ZCOUNT', due, '-inf', text(now + GRACE - LATE)))
  local at = math.max(now, room_at(place), get('evenly') - ahead() + place * gap)
  if get('pause_until') > now then at = math.max(at, get('pause_until') + place * gap) end
  if at <= now + SOON then
    redis.call('ZREM', waiting, id)
    redis.call('ZREM', due, id)
    put('granted', get('granted') + 1)
    put('evenly', math.max(get('evenly'), at) + gap)
    redis.call('ZADD', sent, text(at + TRAVEL + window), id)
    redis.call('PEXPIRE', sent, text((2 * window + MEMORY) / 1000))
    return {GRANTED, at - now, get('granted'), at, probe}
  end
  -- Those ahead may be dead or give up: from far behind, look again at half the way.
  local nap = math.min(at - now, math.max(window / 4, (at - now) / 2), LONGEST_NAP)
  redis.call('ZADD', due, text(now + nap + GRACE), id)
  redis.call('PEXPIRE', due, text(2 * LONGEST_NAP / 1000))
  redis.call('PEXPIRE', waiting, text(2 * LONGEST_NAP / 1000))
  return {WAIT, nap, 0, 0, probe}
end

local function learn(number, granted_at, new_limit, remaining, reset)
  if new_limit > 0 and new_limit ~= limit then
    put('evenly', now + (get('evenly') - now) * limit / new_limit)
    put('saturated_until', 0)
    limit = new_limit
  end
  if new_limit > 0 and new_limit ~= known.limit then put('limit', new_limit) end
  if remaining < 0 or now - granted_at > TRAVEL then return end  -- too old to tell others by
  local used = limit - remaining
  local ours = redis.call('ZCOUNT', sent, '(' .. text(granted_at), '+inf')
  local others = 0
  if used > ours or now < get('reserve_until') then
    -- Another program sends too. When in doubt, count it as theirs.
    local held = redis.call('ZCOUNT', sent, '(' .. text(now), '+inf')
    others = math.max(0, used - math.max(0, held - (get('granted') - number)))
  end
  if used > ours then
    local reserve = now < get('reserve_until') and get('reserve') or 0
    if now - get('heard_at') < window / 4 then
      reserve = math.max(reserve, others - get('others'))
    end
    put('reserve', reserve)
    put('reserve_until', now + MEMORY)
  end
  put('heard_at', now)
  put('others', others)
  put('others_until', now + (reset < 0 and window or math.min(reset, window)))
end

if op == 'take' then
  local spent, probe = tonumber(ARGV[5]), tonumber(ARGV[6])
  for i = 1, spent do  -- sent while this process did not reach us
    redis.call('ZADD', sent, text(now + window), id .. ':' .. i)
    redis.call('PEXPIRE', sent, text((2 * window + MEMORY) / 1000))
  end
  return keep(take(probe))
elseif op == 'release' then
  local number, granted_at, probe = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  redis.call('ZADD', sent, 'XX', 'LT', text(now + window), id)
  local latency = math.min(math.max(now - granted_at, 0), TRAVEL)
  put('latency', get('latency') + (latency - get('latency')) / 8)
  learn(number, granted_at, tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]))
  if probe > 0 and probe == get('probe') then put('daily_until', 0) end
elseif op == 'cancel' then
  local probe = tonumber(ARGV[5])
  if forget() == 1 then put('evenly', get('evenly') - gap) end
  if probe > 0 and probe == get('probe') then put('probe_at', 0) end
elseif op == 'pause' then
  put('pause_until', math.max(get('pause_until'), now + tonumber(ARGV[5])))
elseif op == 'block' then
  local name, until_ = UNTIL[tonumber(ARGV[6])], now + tonumber(ARGV[5])
  if name == 'daily_until' then
    put('probe', get('probe') + 1)
    put('probe_at', now + PROBE_INTERVAL)
    put(name, until_)
  else
    put(name, math.max(get(name), until_))
  end
end
return keep({0, 0, limit, 0, 0})
"""
