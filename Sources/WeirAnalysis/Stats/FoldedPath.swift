/// The path of a request without what names one thing of many: `/items/17/parts/0f8b…` becomes `/items/{n}/parts/{hex}`.
enum FoldedPath {
    /// The least number of digits of an identifier in hex.
    private static let leastHex = 16

    /// Returns a path whose parts that are numbers, UUIDs or long numbers in hex are folded.
    ///
    /// An ending stays: `/17.json` becomes `/{n}.json`. A version, such as `v1`, is no number.
    static func folded(_ path: Substring) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map(part).joined(separator: "/")
    }

    private static func part(_ part: Substring) -> String {
        let stem = part.prefix { $0 != "." }
        guard let sign = sign(stem.utf8) else { return String(part) }
        return sign + part[stem.endIndex...]
    }

    /// Returns what stands for a part; nil if the part stays.
    private static func sign(_ stem: Substring.UTF8View) -> String? {
        guard let first = stem.first else { return nil }
        let digits = stem.count(where: isDigit)
        if digits == stem.count { return "{n}" }
        // A number below zero, too.
        if first == UInt8(ascii: "-"), digits == stem.count - 1, digits > 0 { return "{n}" }
        let isUUID =
            stem.count == 36
            && stem.enumerated().allSatisfy { index, byte in
                [8, 13, 18, 23].contains(index) ? byte == UInt8(ascii: "-") : isHex(byte)
            }
        if isUUID { return "{uuid}" }
        // A long word without a digit, such as `deadbeef...`, is more likely a word.
        return stem.count >= leastHex && digits > 0 && stem.allSatisfy(isHex) ? "{hex}" : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
}
