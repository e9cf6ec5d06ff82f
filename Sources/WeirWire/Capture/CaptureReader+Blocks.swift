extension CaptureReader {
    /// Reads a block other than a packet; nil if it holds nothing of interest.
    mutating func read(_ type: BlockType, _ block: Block, in window: RawSpan) throws(CaptureFileError) -> CaptureBlock?
    {
        switch type {
        case .sectionHeader: return .section(try readSection(block, in: window))
        case .interfaceDescription: return .interface(try readInterface(block, in: window))
        case .nameResolution: return .names(try readNames(block, in: window))
        case .interfaceStatistics:
            if let statistics = try readStatistics(block, in: window) { return .statistics(statistics) }
            skippedBlocks += 1
            return nil
        case .decryptionSecrets: return .secrets(try readSecrets(block, in: window))
        case .custom, .localCustom: return .custom(try readCustom(type, block, in: window))
        case .packet, .simplePacket, .enhancedPacket: return nil
        }
    }

    private mutating func readSection(_ block: Block, in window: RawSpan) throws(CaptureFileError) -> CaptureSection {
        try check(block, holds: 16)
        let major = window.number(UInt16.self, at: block.start + 12, byteOrder)
        let minor = window.number(UInt16.self, at: block.start + 14, byteOrder)
        guard major == 1, minor == 0 || minor == 2 else {
            throw .unsupported(version: CaptureVersion(isPcapng: true, major: major, minor: minor), at: position)
        }
        var section = CaptureSection(byteOrder: byteOrder)
        try eachOption(of: block, after: 16, in: window) { option, cursor throws(CaptureFileError) in
            switch option.code {
            case CommonOption.comment: section.comments.append(window.text(option.range))
            case CaptureSection.Code.hardware where section.hardware == nil:
                section.hardware = window.text(option.range)
            case CaptureSection.Code.operatingSystem where section.operatingSystem == nil:
                section.operatingSystem = window.text(option.range)
            case CaptureSection.Code.application where section.application == nil:
                section.application = window.text(option.range)
            default: section.others.append(cursor.raw(option, in: window))
            }
        }
        interfaces.removeAll(keepingCapacity: true)
        return section
    }

    /// Reads names; a list of records without an end marker may also end with the block.
    private func readNames(_ block: Block, in window: RawSpan) throws(CaptureFileError) -> CaptureNames {
        try check(block, holds: 4)
        var names = CaptureNames(records: [])
        let body = block.body(after: 0)
        var offset = body.lowerBound
        while body.upperBound - offset >= 4 {
            let type = window.number(UInt16.self, at: offset, byteOrder)
            let length = Int(window.number(UInt16.self, at: offset + 2, byteOrder))
            offset += 4
            guard padded(length) <= body.upperBound - offset,
                let record = NameRecord.read(type, offset..<(offset + length), in: window)
            else { throw .malformed(.nameRecord(type: type, length: length), at: block.base + offset - 4) }
            offset += padded(length)
            if type == CaptureNames.Code.end { break }
            names.records.append(record)
        }
        try eachOption(offset..<body.upperBound, base: block.base, in: window) {
            option,
            cursor throws(CaptureFileError) in
            names.read(option, cursor, in: window)
        }
        return names
    }

    /// Reads an interface's statistics; nil if the interface was not described, because the times are then unknown.
    private func readStatistics(_ block: Block, in window: RawSpan) throws(CaptureFileError) -> CaptureStatistics? {
        try check(block, holds: 12)
        let interface = window.number(UInt32.self, at: block.start + 8, byteOrder)
        guard interface < interfaces.count else { return nil }
        let clock = interfaces[Int(interface)].clock
        let time = clock.nanoseconds(units(in: window, at: block.start + 12))
        var statistics = CaptureStatistics(interface: interface, timestamp: time)
        try eachOption(of: block, after: 12, in: window) { option, cursor throws(CaptureFileError) in
            let isTime = option.range.count == 8
            let units = isTime ? units(in: window, at: option.range.lowerBound) : 0
            switch option.code {
            case CaptureStatistics.Code.start where isTime && statistics.start == nil:
                statistics.start = clock.nanoseconds(units)
            case CaptureStatistics.Code.end where isTime && statistics.end == nil:
                statistics.end = clock.nanoseconds(units)
            default: statistics.read(option, cursor, in: window)
            }
        }
        return statistics
    }

    private func readSecrets(_ block: Block, in window: RawSpan) throws(CaptureFileError) -> CaptureSecrets {
        try check(block, holds: 8)
        let length = window.number(UInt32.self, at: block.start + 12, byteOrder)
        let body = block.body(after: 8)
        guard padded(Int(length)) <= body.count else {
            throw .malformed(.secretsBeyondBlock(length), at: position)
        }
        var secrets = CaptureSecrets(
            format: CaptureSecrets.Format(rawValue: window.number(at: block.start + 8, byteOrder)),
            bytes: window.bytes(body.prefix(Int(length)))
        )
        let options = body.dropFirst(padded(Int(length)))
        try eachOption(options, base: block.base, in: window) { option, cursor throws(CaptureFileError) in
            if option.code == CommonOption.comment {
                secrets.comments.append(window.text(option.range))
            } else {
                secrets.others.append(cursor.raw(option, in: window))
            }
        }
        return secrets
    }

    private func readCustom(_ type: BlockType, _ block: Block, in window: RawSpan) throws(CaptureFileError)
        -> CustomBlock
    {
        try check(block, holds: 4)
        return CustomBlock(
            isCopyable: type == .custom,
            enterprise: window.number(at: block.start + 8, byteOrder),
            bytes: window.bytes(block.body(after: 4))
        )
    }

    /// Calls a closure for each option of a block, after a head of fixed size.
    func eachOption(
        of block: Block,
        after fixed: Int,
        in window: RawSpan,
        _ body: (OptionCursor.Found, OptionCursor) throws(CaptureFileError) -> Void
    ) throws(CaptureFileError) {
        try eachOption(block.body(after: fixed), base: block.base, in: window, body)
    }

    private func eachOption(
        _ range: Range<Int>,
        base: Int,
        in window: RawSpan,
        _ body: (OptionCursor.Found, OptionCursor) throws(CaptureFileError) -> Void
    ) throws(CaptureFileError) {
        var cursor = OptionCursor(range, base: base, byteOrder)
        while let option = try cursor.next(in: window) {
            try cursor.check(custom: option)
            try body(option, cursor)
        }
    }
}
