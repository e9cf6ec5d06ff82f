extension CaptureReader {
    /// The size of a block without a body, in bytes.
    static var smallestBlock: Int { 12 }
    /// The maximum size in bytes of a block without its packet; readers would have to keep more, so more is damage.
    static var largestBlock: Int { 16 << 20 }
    /// The maximum number of interfaces in a section, because each one takes a few bytes of memory.
    static var mostInterfaces: Int { 65_536 }

    /// Reads or skips the next block of a pcapng file.
    @inline(__always)
    mutating func nextBlock(in window: RawSpan, base: Int) throws(CaptureFileError) -> Step {
        let start = position &- base
        let available = window.byteCount &- start
        if skipped != nil { return try endSkipped(in: window, at: start, available) }
        guard available >= Self.smallestBlock else { return .more(Self.smallestBlock) }
        let type = BlockType(rawValue: window.number(UInt32.self, at: start, byteOrder))
        if type == .sectionHeader { try readByteOrder(in: window, at: start) }
        let written = window.number(UInt32.self, at: start &+ 4, byteOrder)
        // Some programs leave the padding out of the length; Wireshark accepts that, too.
        let length = padded(Int(written))
        guard length >= Self.smallestBlock else { throw .malformed(.blockLength(written), at: position) }
        let block = Block(start: start, length: length, written: written, base: base)
        switch type {
        case .enhancedPacket, .packet, .simplePacket:
            return try nextPacket(type ?? .enhancedPacket, block, in: window, available)
        case nil: return skip(block)
        case .custom?, .localCustom?:
            if length > Self.largestBlock { return skip(block) }
        default: break
        }
        guard length <= Self.largestBlock else { throw .malformed(.blockLength(written), at: position) }
        guard available >= length else { return .more(length) }
        try checkEnd(of: block, in: window)
        let item = try type.map { type throws(CaptureFileError) in try read(type, block, in: window) } ?? nil
        position &+= length
        return item.map { .item(.block($0)) } ?? .again
    }

    /// The place of a block.
    struct Block {
        /// The offset of its first byte in the window.
        let start: Int
        /// Its length with padding, in bytes.
        let length: Int
        /// Its length as written in the file.
        let written: UInt32
        /// The offset in the file of the window's first byte.
        let base: Int

        /// Returns the range of its body in the window, after a head of fixed size.
        func body(after fixed: Int) -> Range<Int> { (start &+ 8 &+ fixed)..<(start &+ length &- 4) }
    }

    /// Checks that a block's two lengths agree; the window holds the block.
    @inline(__always)
    func checkEnd(of block: Block, in window: RawSpan) throws(CaptureFileError) {
        let last = window.number(UInt32.self, at: block.start &+ block.length &- 4, byteOrder)
        guard last == block.written || padded(Int(last)) == block.length else {
            throw .malformed(.lengthsDiffer(block.written, last), at: position)
        }
    }

    /// Checks that a block is long enough for a head of fixed size.
    @inline(__always)
    func check(_ block: Block, holds fixed: Int) throws(CaptureFileError) {
        guard block.length >= Self.smallestBlock &+ fixed else {
            throw .malformed(.blockLength(block.written), at: position)
        }
    }

    /// Skips a block of any size, up to the length at its end.
    private mutating func skip(_ block: Block) -> Step {
        skipped = (position, block.written)
        position += block.length - 4
        skippedBlocks += 1
        return .again
    }

    /// Reads the length at the end of a skipped block.
    private mutating func endSkipped(
        in window: RawSpan,
        at start: Int,
        _ available: Int
    ) throws(CaptureFileError) -> Step {
        guard available >= 4, let (blockStart, first) = skipped else { return .more(4) }
        let last = window.number(UInt32.self, at: start, byteOrder)
        guard padded(Int(last)) == padded(Int(first)) else {
            throw .malformed(.lengthsDiffer(first, last), at: blockStart)
        }
        skipped = nil
        position += 4
        return .again
    }

    private mutating func readByteOrder(in window: RawSpan, at start: Int) throws(CaptureFileError) {
        for order in ByteOrder.allCases where window.number(at: start + 8, order) == CaptureMagic.byteOrder {
            byteOrder = order
            return
        }
        throw .malformed(.byteOrder(window.number(at: start + 8, byteOrder)), at: position)
    }
}
