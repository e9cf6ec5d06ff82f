import Testing

@testable import WeirAnalysis

@Suite("The lines of a relay's log, in pieces")
struct PortLogReaderTests {
    private static let open = """
        {"time":"2026-11-22T12:31:07Z","flow":7,"event":"open","client":"127.0.0.1:51514","listener":"127.0.0.1:9000"}

        """

    /// Reads a text in pieces of one size.
    private func read(_ bytes: [UInt8], piece: Int) -> (reader: PortLogReader, table: PortTable) {
        var (reader, table) = (PortLogReader(), PortTable())
        for start in stride(from: 0, to: bytes.count, by: piece) {
            bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { reader.read($0, into: &table) }
        }
        reader.finish(into: &table)
        return (reader, table)
    }

    @Test("Lines are found however the pieces cut them, the last one without an end too", arguments: [1, 7, 64, 4096])
    func pieces(size: Int) {
        let text = Self.open + "\nx\n" + Self.open.replacing("51514", with: "51516").dropLast()
        let (reader, table) = read(Array(text.utf8), piece: size)
        #expect(reader.log.lines == 3 && reader.log.flows == 2 && reader.log.firstUnknown == 3)
        #expect(table.series.map(\.ports) == [[51514, 51516]])
    }

    @Test("A line of 40 MiB is no record, and those around it are read")
    func longLine() {
        let long = Array(Self.open.utf8) + [UInt8](repeating: 0x41, count: 40 << 20)
        let text = long + Array(("\n" + Self.open.replacing("51514", with: "51516")).utf8)
        let (reader, table) = read(text, piece: 256 << 10)
        #expect(reader.log.lines == 3 && reader.log.unknownLines == 1 && reader.log.firstUnknown == 2)
        #expect(table.series.map(\.ports) == [[51514, 51516]])
    }

    @Test("A record is read up to the bound, and not beyond it, in one piece and in several")
    func bound() {
        let long = Self.open.replacing("{\"time\"", with: "{\"bytes\":\"\",\"time\"")
        for (length, flows) in [(PortLogReader.longestLine, 1), (PortLogReader.longestLine + 1, 0)] {
            let filler = String(repeating: "A", count: length - long.utf8.count + 1)
            let line = Array(long.replacing("\"\",", with: "\"\(filler)\",").utf8)
            #expect(line.count == length + 1)
            for piece in [line.count, 256 << 10] {
                let log = read(line, piece: piece).reader.log
                #expect(log.flows == flows && log.unknownLines == 1 - flows)
            }
        }
    }

    @Test("A long line that has no end is counted at the end")
    func unfinished() {
        let (reader, _) = read([UInt8](repeating: 0x7b, count: PortLogReader.longestLine + 9), piece: 1 << 20)
        #expect(reader.log.lines == 1 && reader.log.unknownLines == 1)
    }
}
