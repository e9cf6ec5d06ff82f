import WeirWire

// TCP: the packets for what happens.
//
// Source: RFC 9293 sections 3.5 and 3.6.
extension CapturedLeg {
    /// Writes the first packet of a connection.
    mutating func synchronize(at time: Int64, _ frames: inout FrameWriter, _ output: inout ByteBuffer) {
        self[.upstream] = End(next: frames.drawSequenceNumber())
        self[.downstream] = End(next: frames.drawSequenceNumber())
        state = .opening
        send(.syn, .upstream, at: time, &frames, &output)
    }

    /// Writes that the connection was accepted.
    mutating func accept(at time: Int64, _ frames: inout FrameWriter, _ output: inout ByteBuffer) {
        guard state == .opening else { return }
        send([.syn, .ack], .downstream, at: time, &frames, &output)
        acknowledge(.upstream, at: time, &frames, &output)
        state = .open
    }

    /// Writes that the connection was refused.
    mutating func refuse(at time: Int64, _ frames: inout FrameWriter, _ output: inout ByteBuffer) {
        guard state == .opening else { return }
        // A port on which nothing listens answers with the sequence number 0: section 3.10.7.1.
        self[.downstream].next = 0
        send([.rst, .ack], .downstream, at: time, &frames, &output)
        state = .closed
    }

    /// Writes the pieces of a chunk, and their acknowledgement.
    ///
    /// - Parameters:
    ///   - bytes: the chunk.
    ///   - direction: the direction of the chunk.
    ///   - first: the number of the first packet.
    ///   - gap: the number of missing bytes before it.
    ///   - time: the time, in ns since 1970 UTC.
    ///   - frames: the writer of the file, with the pieces of the chunk.
    ///   - output: receives the packets.
    mutating func write(
        _ bytes: RawSpan,
        _ direction: Direction,
        _ first: UInt64,
        skipping gap: UInt64,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard state == .open, !self[direction].isFinished else { return }
        self[direction].next &+= UInt32(truncatingIfNeeded: gap)
        guard bytes.byteCount > 0 else { return }
        for index in frames.pieces.indices {
            let piece = frames.pieces[index]
            let flags: TCPFlags = piece.range.upperBound == bytes.byteCount ? [.psh, .ack] : .ack
            let number = first &+ UInt64(index)
            send(flags, direction, bytes.extracting(piece.range), piece.sum, number, at: time, &frames, &output)
        }
        acknowledge(direction.opposite, at: time, &frames, &output)
    }

    /// Writes the FIN of an end.
    mutating func finish(
        _ direction: Direction,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard state == .open, !self[direction].isFinished else { return }
        send([.fin, .ack], direction, at: time, &frames, &output)
        self[direction].isFinished = true
        acknowledge(direction.opposite, at: time, &frames, &output)
    }

    /// Writes the reset of the connection by an end.
    mutating func reset(
        _ direction: Direction,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard state == .open else { return }
        send([.rst, .ack], direction, at: time, &frames, &output)
        state = .closed
    }

    /// Acknowledges the bytes of the other end, once.
    private mutating func acknowledge(
        _ direction: Direction,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        guard self[direction].acknowledged != self[direction.opposite].next else { return }
        send(.ack, direction, at: time, &frames, &output)
    }
}
