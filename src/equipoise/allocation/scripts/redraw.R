# Draw an allocation again from what was published, without the software that drew it, and compare.
#
#     Rscript redraw.R RECORD ARMS SECRET [ROSTER]
#
#     RECORD  the allocation's record (.record.json)
#     ARMS    who is in which arm (.csv); in order of arrival where people were allocated as they came
#     SECRET  the file with the team's secret as revealed (of a practice draw: its seed), or the 64 digits
#     ROSTER  the roster in its canonical form (.csv), where it was published
#
# Ends with 0 when all is the same, with 1 and the first difference, or with 2 when a file cannot be used.
# R 4.0 or later with the packages digest and jsonlite, and stringi where a name is not in Unicode's normal
# form C, which R alone cannot make. The steps are in the reference, "The algorithm of the draw".

FORMAT <- 1
EQUAL <- 1e-9  # distances that differ by a smaller part count as equal
NORMALISES <- requireNamespace("stringi", quietly = TRUE)
GIVEN <- "given on the command line: tests and rehearsals only"
NEEDED <- c("stage", "method", "unit", "strata", "ratio", "blocks", "arrival", "roster_hash", "commitment",
            "protocol_hash", "public_round", "roster_recorded", "seed_source", "counts")

stop_as <- function(kind, ...) {
  stop(structure(class = c(kind, "error", "condition"), list(message = paste0(...), call = NULL)))
}
differs <- function(...) stop_as("differs", ...)
unusable <- function(...) stop_as("unusable", ...)

# Bytes

sha256 <- function(bytes) digest::digest(bytes, "sha256", serialize = FALSE, raw = TRUE)
utf8 <- function(text) charToRaw(enc2utf8(text))
hex <- function(bytes) paste(as.character(bytes), collapse = "")
unhex <- function(digits) {
  as.raw(strtoi(substring(digits, seq(1, nchar(digits), 2), seq(2, nchar(digits), 2)), 16))
}
is_hex <- function(text) grepl("^[0-9a-fA-F]{64}$", text)

hmac <- function(key, message) {
  padded <- c(key, raw(64 - length(key)))
  sha256(c(xor(padded, as.raw(0x5c)), sha256(c(xor(padded, as.raw(0x36)), message))))
}

# 32 bytes by HKDF-SHA256 (RFC 5869): extract, then the first block of expand.
hkdf <- function(material, salt, info) hmac(hmac(salt, material), c(info, as.raw(1)))

# From the secret to the seed

seed_of <- function(record, secret) {
  if (hex(sha256(secret)) != record$commitment) differs("the secret is not the one that was committed to")
  if (record$seed_source == GIVEN) return(secret)
  if (is.null(record$protocol_hash)) unusable("the record has no protocol hash, so no seed can be derived")
  public <- if (is.null(record$public_round)) raw(0) else unhex(record$public_round$randomness)
  salt <- if (record$arrival) record$protocol_hash else record$roster_hash
  info <- paste0("equipoise/1/", record$protocol_hash, "/", record$stage)
  hkdf(c(secret, public), unhex(salt), utf8(info))
}

# The public round must be the first at least an hour after the roster (or the lock) was recorded.
check_round <- function(record) {
  chosen <- record$public_round
  if (is.null(chosen$genesis) || is.null(chosen$period) || is.null(record$roster_recorded)) return()
  since <- as.numeric(as.POSIXct(record$roster_recorded, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC"))
  if (is.na(since)) unusable("roster_recorded: expected a time in UTC that ends in Z")
  first <- max(1, ceiling((since + 3600 - chosen$genesis) / chosen$period) + 1)
  if (chosen$number != first) {
    differs("public round ", chosen$number, " was used, the rule gives ", format(first, scientific = FALSE))
  }
}

# From the seed to the arms. A number is the 32 bytes of HMAC-SHA256 of a message that begins with the stage.

number_of_unit <- function(chance, unit) hmac(chance$seed, c(beginning(chance), utf8(unit)))

number_of <- function(chance, ...) {
  parts <- lapply(c(...), function(part) c(as.raw(0), utf8(part)))
  hmac(chance$seed, c(beginning(chance), unlist(parts)))
}

beginning <- function(chance) if (is.raw(chance$stage)) chance$stage else utf8(chance$stage)

# The order of numbers, smaller first: as hexadecimal digits they sort like texts in bytes.
order_of <- function(numbers) order(vapply(numbers, hex, ""), method = "radix")

# Things in the order of their numbers; the number of each asks for its place, from 1.
shuffled <- function(chance, things, ...) {
  places <- format(seq_along(things), trim = TRUE, scientific = FALSE)
  things[order_of(lapply(places, function(place) number_of(chance, ..., place)))]
}

# The whole part of number * parts / 2^256, byte by byte.
scaled <- function(number, parts) {
  carried <- 0
  for (byte in rev(as.integer(number))) carried <- (byte * parts + carried) %/% 256
  carried
}

# One of the things, each with the same chance.
one_of <- function(things, number) things[[scaled(number, length(things)) + 1]]

# Methods: the arms of a stratum, which has a label, slots, units, and `beside`, what a method looks at.

# Each unit by itself.
simple <- function(record, chance, stratum) {
  numbers <- if (record$arrival) {
    places <- seq_along(stratum$units)
    lapply(places, function(place) number_of(chance, "arrival", stratum$label, whole(place)))
  } else {
    lapply(stratum$units, function(unit) number_of_unit(chance, unit))
  }
  vapply(numbers, function(number) one_of(stratum$slots, number), "")
}

# Whole sets of slots, leftover units by lot; the first units in keyed order get the first arm.
blocked <- function(record, chance, stratum) {
  sets <- length(stratum$units) %/% length(stratum$slots)
  left <- length(stratum$units) %% length(stratum$slots)
  leftover <- head(shuffled(chance, stratum$slots, "leftover", stratum$label), left)
  in_order(keyed(chance, stratum), sort(c(rep(stratum$slots, sets), leftover), method = "radix"))
}

# Block after block, of sizes drawn by lot, until all units have a place.
permuted_blocks <- function(record, chance, stratum) {
  arms <- character(0)
  block <- 0
  while (length(arms) < length(stratum$units)) {
    block <- block + 1
    multiple <- one_of(record$blocks, number_of(chance, "size", stratum$label, whole(block)))
    arms <- c(arms, shuffled(chance, rep(stratum$slots, multiple), "slot", stratum$label, whole(block)))
  }
  in_order(queue(record, chance, stratum), arms)
}

# Unit by unit into the slot that leaves the levels of the factors most alike, with the coin's chance.
minimised <- function(record, chance, stratum) {
  slots <- length(stratum$slots)
  coin <- decimal(record$coin)
  rest <- coin$of - coin$parts
  weights <- if (length(record$weights)) unlist(record$weights) else rep(1, length(record$beside))
  counts <- lapply(stratum$beside, function(levels) matrix(0, length(unique(levels)), slots))
  codes <- lapply(stratum$beside, function(levels) match(levels, unique(levels)))
  order <- queue(record, chance, stratum)
  taken <- vapply(seq_along(order), function(place) {
    rows <- vapply(codes, function(code) code[order[place]], 1L)
    imbalance <- numeric(slots)
    for (factor in seq_along(rows)) {
      unlike <- spread(counts[[factor]][rows[factor], ], record$measure)
      imbalance <- imbalance + weights[factor] * unlike
    }
    tied <- sum(imbalance == min(imbalance))
    # The coin for the slots that are tied, and equal parts of the rest for each other; as whole numbers.
    parts <- ifelse(imbalance == min(imbalance), coin$parts * (slots - 1) + (tied - 1) * rest, tied * rest)
    aim <- scaled(number_of(chance, "coin", stratum$label, whole(place)), sum(parts))
    slot <- which(aim < cumsum(parts))[1]
    for (factor in seq_along(rows)) {
      counts[[factor]][rows[factor], slot] <<- counts[[factor]][rows[factor], slot] + 1
    }
    slot
  }, 1L)
  in_order(order, stratum$slots[taken])
}

# How unlike the counts would be with one more in each slot.
spread <- function(count, measure) {
  vapply(seq_along(count), function(slot) {
    count[slot] <- count[slot] + 1
    # The rest of a variance is the same for every slot.
    if (measure == "variance") sum(count^2) else max(count) - min(count)
  }, 0)
}

# A number as it is written in decimals, as so many parts of a power of ten.
decimal <- function(number) {
  of <- 10^nchar(sub("^[0-9]*[.]?", "", format(number, digits = 15, scientific = FALSE)))
  list(parts = round(number * of), of = of)
}

# The units as they came or, of a roster drawn at once, in keyed order.
queue <- function(record, chance, stratum) {
  if (record$arrival) seq_along(stratum$units) else keyed(chance, stratum)
}

# The units in the order of their numbers.
keyed <- function(chance, stratum) {
  order_of(lapply(stratum$units, function(unit) number_of_unit(chance, unit)))
}

# The arms handed out along an order of the units; a last block may leave places over.
in_order <- function(order, arms) arms[order(order)]

METHODS <- list("simple" = simple, "complete" = blocked, "blocked" = blocked,
                "permuted-blocks" = permuted_blocks, "minimised" = minimised, "rerandomised" = blocked,
                "matched-pairs" = blocked)

draw <- function(record, said, labels, seed) {
  strata <- strata_of(record, said, labels)
  if (record$method != "rerandomised") {
    return(drawn_once(record, list(seed = seed, stage = record$stage), strata))
  }
  criterion <- criterion_of(record, strata)
  furthest <- threshold(criterion, strata) * (1 + EQUAL)
  candidate <- 0
  repeat {
    candidate <- candidate + 1
    zero <- as.raw(0)
    stage <- c(utf8(record$stage), zero, utf8("candidate"), zero, utf8(whole(candidate)), zero)
    drawn <- drawn_once(record, list(seed = seed, stage = stage), strata)
    if (distance(criterion, drawn[criterion$rows]) <= furthest) return(drawn)
  }
}

drawn_once <- function(record, chance, strata) {
  drawn <- character(sum(lengths(lapply(strata, `[[`, "rows"))))
  for (stratum in strata) drawn[stratum$rows] <- METHODS[[record$method]](record, chance, stratum)
  drawn
}

# The strata by name; with `complete` the whole trial is one, which has no name.
strata_of <- function(record, said, labels) {
  pooled <- record$method == "complete"
  given <- if (pooled) rep("", length(labels)) else labels
  lapply(sort(unique(given), method = "radix"), function(label) {
    shares <- named(record$ratio, if (pooled) labels[1] else label)
    shares <- shares[order(names(shares), method = "radix")]
    rows <- which(given == label)
    beside <- lapply(unname(said$columns[as.character(unlist(record$beside))]), `[`, rows)
    list(label = label, slots = rep(names(shares), unlist(shares)), rows = rows, units = said$units[rows],
         beside = beside)
  })
}

# What a rerandomisation holds a draw to: how far apart the arms are in the covariates, and may be.

criterion_of <- function(record, strata) {
  arms <- unique(strata[[1]]$slots)
  shares <- do.call(rbind, lapply(strata, function(stratum) {
    share <- vapply(arms, function(arm) mean(stratum$slots == arm), 0)
    matrix(share, length(stratum$rows), length(arms), byrow = TRUE)
  }))
  list(arms = arms, shares = shares, values = uncorrelated(record, strata), accept = decimal(record$accept),
       rows = unlist(lapply(strata, `[[`, "rows")))
}

# Over the arms, n p |d|^2: d the arm's mean less the whole's, units counted by their chances.
distance <- function(criterion, drawn) {
  sum(vapply(seq_along(criterion$arms), function(arm) {
    weight <- (drawn == criterion$arms[arm]) / criterion$shares[, arm]
    mean(criterion$shares[, arm]) * sum(colSums(criterion$values * weight)^2) / length(drawn)
  }, 0))
}

# The distance that the declared share of public draws does not exceed.
threshold <- function(criterion, strata) {
  accept <- criterion$accept
  draws <- max(1000, ceiling(50 * accept$of / accept$parts))
  over <- vapply(strata, function(stratum) length(stratum$units) %% length(stratum$slots) > 0, TRUE)
  width <- length(criterion$rows) + sum(lengths(lapply(strata, `[[`, "slots"))[over])
  found <- vapply(seq_len(draws), function(draw) {
    distance(criterion, public_draw(strata, public_numbers((draw - 1) * width, width)))
  }, 0)
  sort(found)[ceiling(accept$parts * draws / accept$of)]
}

# A blocked draw by public numbers; units within a stratum in the order of their values.
public_draw <- function(strata, numbers) {
  taken <- 0
  following <- function(count) {
    taken <<- taken + count
    seen <- taken - count + seq_len(count)
    order(numbers$high[seen], numbers$low[seen])
  }
  unlist(lapply(strata, function(stratum) {
    units <- length(stratum$units)
    slots <- stratum$slots
    places <- following(units)
    given <- rep(slots, units %/% length(slots))
    left <- units %% length(slots)
    if (left) given <- c(given, slots[head(following(length(slots)), left)])
    by_value <- do.call(order, c(stratum$beside, list(method = "radix")))
    in_order(by_value[places], sort(given, method = "radix"))
  }))
}

# Numbers that hang on nothing, after those skipped: four of eight bytes from each hash, in halves.
public_numbers <- function(skipped, count) {
  hashes <- (skipped %/% 4 + 1):ceiling((skipped + count) / 4)
  bytes <- vapply(hashes, function(number) {
    as.integer(sha256(c(utf8("threshold"), as.raw(0), utf8(whole(number)))))
  }, integer(32))
  halves <- colSums(matrix(bytes, nrow = 4) * 256^(3:0))
  kept <- skipped %% 4 + seq_len(count)
  list(high = halves[2 * kept - 1], low = halves[2 * kept])
}

# The covariates as numbers, stratum by stratum, turned and scaled: within strata, variance 1.
uncorrelated <- function(record, strata) {
  columns <- lapply(seq_along(record$beside), function(place) {
    values <- unlist(lapply(strata, function(stratum) stratum$beside[[place]]))
    if (record$beside[[place]] %in% unlist(record$numbers)) return(as.numeric(values))
    levels <- sort(unique(values), method = "radix")[-1]
    vapply(levels, function(level) as.numeric(values == level), numeric(length(values)))
  })
  wide <- do.call(cbind, columns)
  stratum_of <- rep(seq_along(strata), lengths(lapply(strata, `[[`, "rows")))
  centred <- apply(wide, 2, function(column) column - ave(column, stratum_of))
  scaled <- sweep(centred, 2, sqrt(colSums(centred^2)), "/")
  scaled %*% solve(chol(crossprod(scaled))) * sqrt(nrow(wide) - length(strata))
}

whole <- function(number) format(number, scientific = FALSE)

# `[[` finds no element whose name is empty, and the stratum of an unstratified trial has no name.
named <- function(things, name) if (name %in% names(things)) things[[match(name, names(things))]]

# What was published

# Rows by RFC 4180: quotes around a field with a comma or a quote, and around no other.
csv_rows <- function(columns) {
  quoted <- lapply(columns, function(fields) {
    ifelse(grepl("[,\"]", fields), paste0("\"", gsub("\"", "\"\"", fields, fixed = TRUE), "\""), fields)
  })
  do.call(paste, c(quoted, sep = ","))
}

canonical_roster <- function(record, said) {
  heading <- csv_rows(c(record$unit, names(said$columns)))
  rows <- csv_rows(c(list(said$units), unname(said$columns)))[order(said$units, method = "radix")]
  utf8(paste0(c(heading, rows), "\n", collapse = ""))
}

read_bytes <- function(path) {
  if (!file.exists(path) || dir.exists(path)) unusable(path, ": there is no such file")
  readBin(path, "raw", file.size(path))
}

read_text <- function(path) {
  bytes <- read_bytes(path)
  if (length(bytes) >= 3 && identical(bytes[1:3], as.raw(c(0xef, 0xbb, 0xbf)))) bytes <- bytes[-(1:3)]
  text <- if (any(bytes == 0)) NA else rawToChar(bytes)
  if (is.na(text) || !validUTF8(text)) unusable(path, ": is no text in UTF-8")
  Encoding(text) <- "UTF-8"
  if (NORMALISES) stringi::stri_trans_nfc(text) else text
}

read_record <- function(path) {
  text <- read_text(path)
  record <- tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE),
                     error = function(error) unusable(path, ": is no JSON"))
  if (!is.list(record) || !identical(as.numeric(record$equipoise), FORMAT)) {
    unusable(path, ": is no record of an allocation in format ", FORMAT)
  }
  missing <- setdiff(NEEDED, names(record))
  if (length(missing)) unusable(path, ": the record lacks ", paste(missing, collapse = ", "))
  if (any(c(unlist(record$ratio), unlist(record$blocks)) < 1)) {
    unusable(path, ": has a share or the size of a block below 1")
  }
  if (!record$method %in% names(METHODS)) {
    unusable(path, ": this script cannot draw by ", record$method, "; it knows ",
             paste(names(METHODS), collapse = ", "))
  }
  record
}

read_secret <- function(given) {
  digits <- if (is_hex(given)) given else trimws(read_text(given))
  if (!is_hex(digits)) unusable("SECRET: expected 64 hexadecimal digits, or a file that holds them alone")
  unhex(digits)
}

read_rows <- function(path) {
  text <- read_text(path)
  rows <- tryCatch(
    read.csv(text = text, colClasses = "character", check.names = FALSE, na.strings = character(0),
             encoding = "UTF-8", strip.white = FALSE, fill = FALSE),
    error = function(error) unusable(path, ": ", conditionMessage(error)))
  if (!nrow(rows)) unusable(path, ": has no rows")
  rows
}

# Units, all values of theirs that were hashed, and the arms they are said to have; a cluster once.
read_arms <- function(path, record) {
  rows <- read_rows(path)
  unit <- if (record$unit == "participant") names(rows)[1] else record$unit
  arm <- if (record$stage %in% names(rows)) record$stage else "arm"
  hashed <- as.character(c(unlist(record$strata), unlist(record$beside)))
  missing <- setdiff(c(unit, hashed, arm), names(rows))
  if (length(missing)) {
    unusable(path, ": has no column ", paste(missing, collapse = ", "), "; its columns are ",
             paste(names(rows), collapse = ", "))
  }
  again <- duplicated(rows[[unit]])
  if (record$unit == "participant" && any(again)) {
    unusable(path, ":", which(again)[1] + 1, ": \"", rows[[unit]][again][1], "\" is there twice")
  }
  first <- match(rows[[unit]], rows[[unit]])
  apart <- which(rows[[arm]] != rows[[arm]][first])
  if (length(apart)) {
    differs(path, ":", apart[1] + 1, ": \"", rows[[unit]][apart[1]],
            "\" is drawn whole, and is said to be in two arms")
  }
  kept <- rows[!again, , drop = FALSE]
  list(units = kept[[unit]], columns = as.list(kept[hashed]), arms = kept[[arm]])
}

# The comparison

# Compare all that was published; the number of units if nothing differs.
compare <- function(record, arms_path, secret, roster_path = NULL) {
  seed <- seed_of(record, secret)
  check_round(record)
  said <- read_arms(arms_path, record)
  if (!is.null(roster_path) && hex(sha256(read_bytes(roster_path))) != record$roster_hash) {
    differs(roster_path, ": is not the roster that was hashed")
  }
  if (hex(sha256(canonical_roster(record, said))) != record$roster_hash) {
    letters <- utf8ToInt(enc2utf8(paste(c(said$units, unlist(said$columns)), collapse = "")))
    if (!NORMALISES && any(letters >= 0x300 & letters <= 0x36f | letters >= 0x1100 & letters <= 0x11ff)) {
      unusable(arms_path, ": is not the roster that was hashed, or has a name that is not in normal form C; ",
               "install the package stringi to tell")
    }
    differs(arms_path, ": a unit, or what is said of one, is not as in the roster that was hashed")
  }
  strata <- unname(said$columns[as.character(unlist(record$strata))])
  labels <- if (length(strata)) csv_rows(strata) else rep("", length(said$units))
  unknown <- setdiff(labels, names(record$ratio))
  if (length(unknown)) differs("the record has no ratio for stratum \"", sort(unknown)[1], "\"")
  drawn <- draw(record, said, labels, seed)
  differ <- which(drawn != said$arms)
  if (length(differ)) {
    row <- differ[1]
    differs("unit \"", said$units[row], "\" is said to be in arm \"", said$arms[row], "\", the draw gives \"",
            drawn[row], "\"; ", length(differ), " of ", length(drawn), " differ")
  }
  check_counts(record, labels, drawn)
  length(drawn)
}

check_counts <- function(record, labels, drawn) {
  for (label in names(record$ratio)) {
    said <- unlist(named(record$counts, label))
    for (arm in names(named(record$ratio, label))) {
      found <- sum(labels == label & drawn == arm)
      if (!arm %in% names(said) || said[[arm]] != found) {
        differs("stratum \"", label, "\", arm \"", arm, "\": the record counts ", said[arm],
                ", the draw gives ", found)
      }
    }
  }
}

main <- function(arguments) {
  if (!length(arguments) %in% 3:4 || any(startsWith(arguments, "-"))) {
    message("usage: Rscript redraw.R RECORD ARMS SECRET [ROSTER]")
    return(2)
  }
  for (package in c("digest", "jsonlite")) {
    if (!requireNamespace(package, quietly = TRUE)) {
      message("the package ", package, " is missing: install.packages(\"", package, "\")")
      return(2)
    }
  }
  arguments <- enc2utf8(arguments)
  tryCatch({
    record <- read_record(arguments[1])
    roster <- if (length(arguments) == 4) arguments[4]
    units <- compare(record, arguments[2], read_secret(arguments[3]), roster)
    cat("same: ", units, " units drawn again by ", record$method, ", every arm as published\n", sep = "")
    0
  }, differs = function(problem) {
    cat("differs: ", conditionMessage(problem), "\n", sep = "")
    1
  }, unusable = function(problem) {
    message("cannot be used: ", conditionMessage(problem))
    2
  }, error = function(problem) {
    message("cannot be used: not as it was written (", conditionMessage(problem), ")")
    2
  })
}

if (sys.nframe() == 0) quit(status = main(commandArgs(trailingOnly = TRUE)))
