/// The lines that `text2pcap` reads.
package enum DumpLines {
    /// Returns whether each line is the time of a packet, `12:31:07.104391`, or an offset of 8 hexadecimal digits below 65,536 with bytes
    /// after it.
    ///
    /// A dump has hundreds of thousands of lines, for which a regular expression takes a minute.
    package static func areTimesAndBytes(_ dump: [UInt8]) -> Bool {
        dump.split(separator: UInt8(ascii: "\n")).allSatisfy { isTime($0) || isBytes($0) }
    }

    private static func isTime(_ line: ArraySlice<UInt8>) -> Bool {
        let form = "00:00:00.000000".utf8
        return line.count == form.count
            && zip(line, form).allSatisfy { $1 == UInt8(ascii: "0") ? isDigit($0) : $0 == $1 }
    }

    private static func isBytes(_ line: ArraySlice<UInt8>) -> Bool {
        line.starts(with: "0000".utf8) && line.dropFirst(4).prefix(4).allSatisfy(isHexDigit)
            && line.dropFirst(8).starts(with: "  ".utf8)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }
}
