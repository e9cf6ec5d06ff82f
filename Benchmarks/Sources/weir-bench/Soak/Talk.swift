import CWeirBench
import Glibc

/// One end of a connection of the soak: sends what its plan says, checks what comes, and ends as planned.
final class Talk {
    /// How a connection ended, as this end saw it.
    enum Outcome: Equatable {
        case complete, resetAsPlanned
        /// The other side was gone before it was done.
        case cut
        /// What came is not what was sent.
        case wrong
        /// The client's plan never came.
        case unheard
        case stuck
    }

    private static let roundsPerTurn = 8

    private let isClient: Bool
    private let board: Board
    private let role: Board.Role
    private var descriptor: Descriptor?
    let number: Int32
    private(set) var plan: TalkPlan?
    private(set) var outcome: Outcome?
    /// When something moved last, on the monotonic clock.
    private(set) var lastMove = Clock.nanoseconds()

    private var planBytes: [UInt8] = []
    private var outgoing: Frames?
    private var sent: UInt64 = 0
    private var planSent = 0
    private var hasEndedSending = false

    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Frames.size, alignment: 64)
    private var filled = 0
    private var received: UInt64 = 0
    private var hasEndedReceiving = false

    /// Takes over a socket; a client knows the plan.
    init(_ descriptor: consuming Descriptor, plan: TalkPlan?, role: Board.Role, board: Board) {
        number = descriptor.number
        self.descriptor = consume descriptor
        self.plan = plan
        self.role = role
        self.board = board
        isClient = plan != nil
        if let plan { begin(plan) }
    }

    deinit {
        buffer.deallocate()
    }

    /// What to wait for, for `Poller`.
    var interest: UInt32 {
        (hasEndedReceiving ? 0 : Poller.readable) | (wantsToSend ? Poller.writable : 0)
    }

    /// Does what can be done now; the outcome is there when it is the last.
    func advance(_ flags: UInt32) {
        if flags & Poller.broken != 0, let error = pendingError(), error != 0 { return breakOff() }
        if wantsToSend { send() }
        if outcome == nil, !hasEndedReceiving, flags & (Poller.readable | Poller.broken) != 0 { receive() }
        if outcome == nil, wantsToSend { send() }
        if outcome == nil, hasEndedSending, hasEndedReceiving { end(.complete) }
    }

    /// Gives the connection up: nothing has moved for too long.
    func giveUp() { end(.stuck) }

    // MARK: - Sending

    private var lengths: (mine: UInt64, theirs: UInt64) {
        guard let plan else { return (0, 0) }
        return isClient ? (plan.upstream, plan.downstream) : (plan.downstream, plan.upstream)
    }

    private var resets: Bool { plan?.manner == (isClient ? .clientResets : .serverResets) }
    private var isResetByOther: Bool { plan?.manner == (isClient ? .serverResets : .clientResets) }

    private var wantsToSend: Bool {
        guard let plan, !hasEndedSending else { return false }
        if planSent < planBytes.count { return true }
        return plan.manner != (isClient ? .serverFirst : .clientFirst) || hasEndedReceiving
    }

    private func begin(_ plan: TalkPlan) {
        self.plan = plan
        if isClient { planBytes = plan.bytes }
        let mine = lengths.mine
        if mine > 0 { outgoing = Frames(seed: isClient ? plan.seed : ~plan.seed, length: mine) }
    }

    private func send() {
        for _ in 0..<Self.roundsPerTurn {
            guard wantsToSend, let plan else { return }
            if planSent < planBytes.count {
                guard let count = planBytes[planSent...].withUnsafeBytes({ write($0) }) else { return }
                planSent += count
                continue
            }
            let target = resets ? plan.resetAfter : lengths.mine
            guard sent < target, let outgoing else { return endSending() }
            let count = outgoing.withBytes(from: sent) { bytes in
                write(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(clamping: target - sent))))
            }
            guard let count else { return }
            sent += UInt64(count)
        }
    }

    private func endSending() {
        hasEndedSending = true
        if resets {
            try? Socket.resetOnClose(number)
            return end(.resetAsPlanned)
        }
        if shutdown(number, Int32(SHUT_WR)) != 0 { breakOff() }
    }

    /// Offers bytes to the kernel; nil where it takes none now, or never again.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = Glibc.send(number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 {
            lastMove = Clock.nanoseconds()
            return count
        }
        if errno != EAGAIN, errno != EINTR { breakOff() }
        return nil
    }

    // MARK: - Receiving

    private func receive() {
        guard plan != nil || receivePlan() else { return }
        for _ in 0..<Self.roundsPerTurn {
            guard outcome == nil, let base = buffer.baseAddress else { return }
            let count = recv(number, base + filled, buffer.count - filled, 0)
            if count < 0 {
                if errno != EAGAIN, errno != EINTR { breakOff() }
                return
            }
            guard count > 0 else { return endReceiving() }
            lastMove = Clock.nanoseconds()
            filled += count
            received += UInt64(count)
            guard received <= lengths.theirs else { return end(.wrong) }
            if filled == buffer.count { takeFrame() }
        }
    }

    /// Reads the client's plan, which it sends first; says whether it is there.
    private func receivePlan() -> Bool {
        var bytes = [UInt8](repeating: 0, count: TalkPlan.size - planBytes.count)
        let count = recv(number, &bytes, bytes.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return false }
        guard count > 0 else {
            end(.unheard)
            return false
        }
        planBytes += bytes[..<count]
        guard planBytes.count == TalkPlan.size else { return false }
        guard let plan = TalkPlan(planBytes) else {
            end(.wrong)
            return false
        }
        planBytes = []
        begin(plan)
        return true
    }

    private func takeFrame() {
        let frame = received / UInt64(Frames.size) - 1
        filled = 0
        guard Frames.isWhole(UnsafeRawBufferPointer(buffer), number: frame) else { return end(.wrong) }
        count(Frames.size)
    }

    /// Checks the bytes behind the last whole frame.
    private func checkRest() -> Bool {
        guard filled > 0, let plan else { return true }
        let rest = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<filled])
        let frames = Frames(seed: isClient ? ~plan.seed : plan.seed, length: UInt64(filled))
        guard frames.begins(received / UInt64(Frames.size), with: rest) else { return false }
        count(filled)
        filled = 0
        return true
    }

    private func count(_ bytes: Int) {
        board[role, .checkedBytes] += UInt64(bytes)
        if let flow = plan?.flow { board.count(UInt64(bytes), of: flow, isUpstream: !isClient) }
    }

    private func endReceiving() {
        hasEndedReceiving = true
        guard checkRest() else { return end(.wrong) }
        if received < lengths.theirs { end(.cut) }
    }

    // MARK: - Ending

    private func pendingError() -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(number, SOL_SOCKET, SO_ERROR, &value, &length) == 0 ? value : nil
    }

    /// The other side has reset, or was never reached.
    private func breakOff() {
        guard plan != nil else { return end(.unheard) }
        guard checkRest() else { return end(.wrong) }
        end(isResetByOther ? .resetAsPlanned : .cut)
    }

    private func end(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        descriptor = nil
    }
}
