// modules: WeirAnalysis WeirEngine
// libFuzzer: -max_len=16384

import WeirAnalysis

/// Reads any bytes as the JSON lines of a relay, whole and in pieces: both must find the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    guard let first = input.first else { return 0 }
    let lines = UnsafeRawBufferPointer(rebasing: input[1...])
    let whole = Found(lines, piece: max(lines.count, 1))
    precondition(whole == Found(lines, piece: 1 + Int(first)), "pieces change nothing")
    precondition(whole.unknown <= whole.lines && whole.flows <= whole.lines, "what is counted are lines")
    precondition(whole.ports.joined().count <= 2 * whole.lines, "a line has a choice of each side at most")
    return 0
}

private struct Found: Equatable {
    var lines = 0
    var flows = 0
    var unknown = 0
    var firstUnknown: Int?
    var ports: [[UInt16]] = []

    init(_ bytes: UnsafeRawBufferPointer, piece: Int) {
        var (reader, table) = (PortLogReader(), PortTable())
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let part = bytes[start..<min(start + piece, bytes.count)]
            reader.read(UnsafeRawBufferPointer(rebasing: part), into: &table)
        }
        reader.finish(into: &table)
        let log = reader.log
        (lines, flows, unknown, firstUnknown) = (log.lines, log.flows, log.unknownLines, log.firstUnknown)
        ports = table.series.map(\.ports)
        // Measuring them must take any choices, too.
        for series in table.series.prefix(4) { _ = PortAnalysis.report(series) }
    }
}
