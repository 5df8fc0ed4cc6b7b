-- Tables, floating point, strings and sorting, recursion, closures, and 64-bit integers in a tight loop.

local function sieve(limit)
  local prime = {}
  for i = 2, limit do prime[i] = true end
  for i = 2, limit do
    if prime[i] then
      for multiple = i * i, limit, i do prime[multiple] = false end
    end
  end
  local count = 0
  for i = 2, limit do
    if prime[i] then count = count + 1 end
  end
  return count
end
print("sieve", sieve(400000))

local function product(size)
  local matrix = {}
  for row = 1, size do
    matrix[row] = {}
    for column = 1, size do matrix[row][column] = (row * 3 + column * 7) % 11 + 0.5 end
  end
  local result = {}
  for row = 1, size do
    result[row] = {}
    for column = 1, size do
      local sum = 0.0
      for i = 1, size do sum = sum + matrix[row][i] * matrix[i][column] end
      result[row][column] = sum
    end
  end
  return result[size // 3][size // 2]
end
print("matrix", string.format("%.6f", product(140)))

local lines = {}
for i = 1, 60000 do lines[i] = string.format("%05d", (i * 7919) % 99991) end
table.sort(lines)
print("sort", lines[1], lines[30000], #table.concat(lines))

local function queens(size)
  local column, rising, falling, solutions = {}, {}, {}, 0
  local function place(row)
    if row > size then
      solutions = solutions + 1
      return
    end
    for i = 1, size do
      if not (column[i] or rising[row + i] or falling[row - i + size]) then
        column[i], rising[row + i], falling[row - i + size] = true, true, true
        place(row + 1)
        column[i], rising[row + i], falling[row - i + size] = nil, nil, nil
      end
    end
  end
  place(1)
  return solutions
end
print("queens", queens(9))

local function counters(rounds)
  local function counter(step)
    local value = 0
    return function()
      value = value + step
      return value
    end
  end
  local total, list = 0, {}
  for i = 1, 16 do list[i] = counter(i) end
  for round = 1, rounds do total = total + list[round % 16 + 1]() end
  return total
end
print("closures", counters(2000000))

local state = 0
for _ = 1, 6000000 do state = (state * 1103515245 + 12345) % 2147483648 end
print("random", state)
