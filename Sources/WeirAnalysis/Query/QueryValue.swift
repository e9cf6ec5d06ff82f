import WeirWire

/// The values in queries.
enum QueryValue {
    /// Reads an address, or one with the length of a prefix.
    static func host(_ word: String, _ side: FlowQuery.Side) -> FlowQuery? {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        let bits = address.isV4 ? 32 : 128
        guard parts.count > 1 else { return .host(address, prefix: bits, side) }
        guard let prefix = number(parts[1]), prefix <= bits else { return nil }
        return .host(address, prefix: Int(prefix), side)
    }

    /// Returns whether a word is the name of a host, and not an address: it has a letter or a `*`, and no colon or slash.
    static func isHostName(_ word: String) -> Bool {
        let isPlain = word.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.*".unicodeScalars.contains($0)
        }
        return isPlain && word.unicodeScalars.contains { $0.properties.isAlphabetic || $0 == "*" }
    }

    /// Reads a port, or a range of them.
    static func ports(_ word: String) -> ClosedRange<UInt16>? {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first.flatMap({ number($0) }),
            let last = number(parts[parts.count - 1]),
            first <= last, last <= 65535
        else { return nil }
        return UInt16(first)...UInt16(last)
    }

    /// Reads a number of packets or bytes: 4096, 64k or 1.5MB.
    ///
    /// k, M and G are units of 1024, as are KiB, MiB and GiB; kB, MB and GB are units of 1000, as in the program's own tables.
    static func count(_ word: String) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("kb", 1000), ("mb", 1_000_000),
            ("gb", 1_000_000_000),
            ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("b", 1),
        ]
        let lowercased = word.lowercased()
        guard let unit = units.first(where: { lowercased.hasSuffix($0.0) }) else { return number(word[...]) }
        return product(lowercased.dropLast(unit.0.count), unit.1)
    }

    /// Reads a time, which has a unit: 500ms, 0.3s or 2m; nil if it is none.
    static func nanoseconds(_ word: String) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("ns", 1), ("us", 1000), ("\u{b5}s", 1000), ("\u{3bc}s", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
            ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        guard let unit = units.first(where: { word.hasSuffix($0.0) }) else { return nil }
        return product(word.dropLast(unit.0.count), unit.1)
    }

    /// Returns whether a word is digits, with a fraction or without.
    static func isDecimal(_ word: String) -> Bool { product(word[...], 1) != nil }

    /// Returns a decimal number times a unit, rounded down; nil if it is no number, or too large.
    private static func product(_ word: Substring, _ unit: UInt64) -> UInt64? {
        let parts = word.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ number($0) }) else { return nil }
        let (product, isTooLarge) = whole.multipliedReportingOverflow(by: unit)
        guard !isTooLarge else { return nil }
        guard parts.count > 1 else { return product }
        // Further digits are less than one.
        let digits = parts[1].prefix(18)
        guard let fraction = number(digits), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        let scale = digits.reduce(UInt64(1)) { scale, _ in scale * 10 }
        let (sum, overflow) = product.addingReportingOverflow(
            scale.dividingFullWidth(unit.multipliedFullWidth(by: fraction)).quotient
        )
        return overflow ? nil : sum
    }

    /// Reads digits only: unlike `UInt64`, it accepts no sign.
    static func number(_ word: Substring) -> UInt64? {
        word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(word) : nil
    }
}
