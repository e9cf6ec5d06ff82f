/// Makes bytes that look random and come again only after 99,991, so that lost, doubled or moved bytes show.
public func patterned(_ count: Int) -> [UInt8] {
    var state: UInt32 = 1
    let block = (0..<min(count, 99_991)).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 24)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes += block.prefix(count - bytes.count) }
    return bytes
}
