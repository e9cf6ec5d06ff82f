// libFuzzer: -max_len=4096 -use_value_profile=1
import WeirWire

/// Writes what any bytes hold as a capture, and reads it again: it must be the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let read = Capture(mapped: Array(UnsafeBufferPointer(start: start, count: count)))
    // Nothing writes a packet without a time.
    let items = read.items.map { item in
        guard case .packet(var metadata, let linkType, let bytes) = item, metadata.timestamp == nil else { return item }
        metadata.timestamp = time(zeroOf: metadata.interface, before: item, in: read)
        return .packet(metadata, linkType, bytes)
    }
    if items.isEmpty { return 0 }
    let file = write(items)
    let again = Capture(mapped: file)
    precondition(again.error == nil, "what was written is whole")
    precondition(again.items == items, "what was written is what was read")
    precondition(write(again.items) == file, "the same is written the same way")
    return 0
}

/// Gives the time that a packet without one is written with: the start of its interface's clock.
private func time(zeroOf interface: UInt32, before item: Item, in capture: Capture) -> Int64 {
    var found: [CaptureInterface] = []
    for other in capture.items {
        if other == item { break }
        switch other {
        case .block(.section): found = []
        case .block(.interface(let interface)): found.append(interface)
        default: break
        }
    }
    guard interface < found.count, let offset = found[Int(interface)].offsetSeconds else { return 0 }
    let (product, overflow) = offset.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? (offset < 0 ? .min : .max) : product
}

private func write(_ items: [Item]) -> [UInt8] {
    var buffer = ByteBuffer()
    var pcapng = PcapngWriter()
    var pcap: PcapWriter?
    for item in items {
        switch item {
        case .packet(let metadata, _, let bytes):
            if let pcap {
                pcap.append(metadata, bytes.span.bytes, to: &buffer)
            } else {
                pcapng.append(metadata, bytes.span.bytes, to: &buffer)
            }
        case .block(let block):
            if case .pcapHeader(let header) = block {
                let writer = PcapWriter(header)
                writer.appendHeader(to: &buffer)
                pcap = writer
            } else {
                pcapng.append(block, to: &buffer)
            }
        }
    }
    return buffer.withUnsafeBytes { Array($0) }
}
