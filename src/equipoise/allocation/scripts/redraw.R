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

number_of_unit <- function(chance, unit) hmac(chance$seed, utf8(paste0(chance$stage, unit)))

number_of <- function(chance, ...) {
  parts <- lapply(c(chance$stage, ...), utf8)
  hmac(chance$seed, Reduce(function(before, part) c(before, as.raw(0), part), parts))
}

# The order of numbers, smaller first: as hexadecimal digits they sort like texts in bytes.
order_of <- function(numbers) order(vapply(numbers, hex, ""), method = "radix")

# Things in the order of their numbers; the number of each asks for its place, from 1.
shuffled <- function(chance, things, ...) {
  places <- format(seq_along(things), trim = TRUE, scientific = FALSE)
  things[order_of(lapply(places, function(place) number_of(chance, ..., place)))]
}

# One of the things, each with the same chance: the whole part of number * count / 2^256, byte by byte.
one_of <- function(things, number) {
  carried <- 0
  for (byte in rev(as.integer(number))) carried <- (byte * length(things) + carried) %/% 256
  things[[carried + 1]]
}

# The arms handed out along the units in the order of their numbers.
in_keyed_order <- function(chance, units, arms) {
  arms[order(order_of(lapply(units, function(unit) number_of_unit(chance, unit))))]
}

# Each unit by itself.
simple <- function(record, chance, label, slots, units) {
  numbers <- if (record$arrival) {
    lapply(seq_along(units), function(place) number_of(chance, "arrival", label, whole(place)))
  } else {
    lapply(units, function(unit) number_of_unit(chance, unit))
  }
  vapply(numbers, function(number) one_of(slots, number), "")
}

# Whole sets of slots, leftover units by lot; the first units in keyed order get the first arm.
blocked <- function(record, chance, label, slots, units) {
  sets <- length(units) %/% length(slots)
  left <- length(units) %% length(slots)
  arms <- c(rep(slots, sets), head(shuffled(chance, slots, "leftover", label), left))
  in_keyed_order(chance, units, sort(arms, method = "radix"))
}

# Block after block, of sizes drawn by lot, until all units have a place.
permuted_blocks <- function(record, chance, label, slots, units) {
  arms <- character(0)
  block <- 0
  while (length(arms) < length(units)) {
    block <- block + 1
    multiple <- one_of(record$blocks, number_of(chance, "size", label, whole(block)))
    arms <- c(arms, shuffled(chance, rep(slots, multiple), "slot", label, whole(block)))
  }
  arms <- head(arms, length(units))
  if (record$arrival) arms else in_keyed_order(chance, units, arms)
}

METHODS <- list("simple" = simple, "complete" = blocked, "blocked" = blocked,
                "permuted-blocks" = permuted_blocks)

draw <- function(record, units, labels, seed) {
  chance <- list(seed = seed, stage = record$stage)
  drawn <- character(length(units))
  pooled <- record$method == "complete"  # the whole trial is one stratum without a name
  strata <- if (pooled) rep("", length(units)) else labels
  for (label in unique(strata)) {
    shares <- named(record$ratio, if (pooled) labels[1] else label)
    shares <- shares[order(names(shares), method = "radix")]
    slots <- rep(names(shares), unlist(shares))
    rows <- which(strata == label)
    drawn[rows] <- METHODS[[record$method]](record, chance, label, slots, units[rows])
  }
  drawn
}

whole <- function(number) format(number, scientific = FALSE)

# `[[` finds no element whose name is empty, and the stratum of an unstratified trial has no name.
named <- function(things, name) things[[match(name, names(things))]]

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
  drawn <- draw(record, said$units, labels, seed)
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
  for (label in names(record$counts)) {
    by_arm <- named(record$counts, label)
    for (arm in names(by_arm)) {
      found <- sum(labels == label & drawn == arm)
      if (found != by_arm[[arm]]) {
        differs("stratum \"", label, "\", arm \"", arm, "\": the record counts ", by_arm[[arm]],
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
