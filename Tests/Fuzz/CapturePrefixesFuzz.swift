import WeirWire

/// Reads every prefix of a file of up to 64 KB from its start: it ends where something ends, or is cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count <= 64 << 10 else { return 0 }
    let file = Array(UnsafeBufferPointer(start: start, count: count))
    let (whole, error) = read(file, count)
    var before = 0
    for end in 0...count {
        let (items, cut) = read(file, end)
        precondition(items >= before && items <= whole, "a longer prefix has no less")
        before = items
        guard let cut, error == nil else { continue }
        switch cut {
        case .truncated, .notCapture([]): break
        default: preconditionFailure("a prefix is cut, not damaged")
        }
    }
    return 0
}

/// Reads a prefix with all that there is of its packets; returns how many items it has.
private func read(_ file: [UInt8], _ end: Int) -> (items: Int, error: CaptureFileError?) {
    var items = 0
    var reader = CaptureReader()
    let window = file.span.extracting(first: end).bytes
    do throws(CaptureFileError) {
        while let item = try reader.next(in: window) {
            items += 1
            guard case .packet(let packet) = item else { continue }
            _ = window.extracting(packet.range).byteCount
        }
        try reader.finish(at: end)
        return (items, nil)
    } catch {
        return (items, error)
    }
}
