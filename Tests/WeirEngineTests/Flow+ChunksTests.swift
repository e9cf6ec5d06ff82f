import Support
import Testing
@testable import WeirEngine
import WeirWire

@Suite("Chunks of a stream")
struct FlowChunksTests {
    @Test("Sends a chunk from the buffer that it was read into")
    func direct() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        #expect(flow.queued(.upstream) == nil)
        flow(.received(.upstream), "you", gives: .data(.upstream, 1, at: 5, 3), .send(.upstream))
        flow(.received(.downstream), "hey", gives: .data(.downstream, 0, at: 0, 3), .send(.downstream))
    }

    @Test("Lets the server speak first")
    func serverFirst() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.downstream), "220 hi", gives: .data(.downstream, 0, at: 0, 6), .send(.downstream))
    }

    @Test("Keeps what the kernel does not take, and sends it when the kernel can take it")
    func partial() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(.sent(.upstream, 2), "hello")
        #expect(flow.queued(.upstream) == "llo")
        #expect(flow.queued(.upstream) != nil)
        #expect(!flow.flow.hasEmptyQueues)
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 1), gives: .sendQueued(.upstream))
        #expect(flow.queued(.upstream) == "lo")
        flow(.sent(.upstream, 2))
        #expect(flow.queued(.upstream) == nil)
        #expect(flow.flow.hasEmptyQueues)
    }

    @Test("Puts a chunk behind those that wait")
    func behind() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.downstream), "one", gives: .data(.downstream, 0, at: 0, 3), .send(.downstream))
        flow(.sent(.downstream, 0), "one")
        flow(.received(.downstream), "two", gives: .data(.downstream, 1, at: 3, 3))
        #expect(flow.queued(.downstream) == "onetwo")
        // The other direction does not wait.
        flow(.received(.upstream), "up", gives: .data(.upstream, 0, at: 0, 2), .send(.upstream))
    }

    @Test("Waits for room, not for time, where the kernel takes nothing of the queue")
    func nothingTaken() {
        var flow = Playbook.connected(.tcp)
        flow(.received(.upstream), "one", gives: .data(.upstream, 0, at: 0, 3), .send(.upstream))
        flow(.sent(.upstream, 0), "one")
        flow(.writable(.upstream), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 0))
        #expect(flow.queued(.upstream) == "one")
    }

    @Test("Makes no record of chunks where no sink wants them, and counts them all the same")
    func noRecords() {
        var flow = Playbook.connected(.tcp) { $0.recordsChunks = false }
        flow(.received(.upstream), "hello", gives: .send(.upstream))
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream),
            .closed(.finished, up: .of(5, in: 1)),
            .close(.finished)
        )
    }
}

@Suite("Backpressure")
struct BackpressureTests {
    private func small(_ settings: inout FlowSettings) {
        settings.highWatermark = 100
        settings.lowWatermark = 40
    }

    @Test("Pauses reading at the high watermark, not one byte before")
    func high() {
        var flow = Playbook.connected(.tcp, small)
        flow(.received(.upstream), count: 99, gives: .data(.upstream, 0, at: 0, 99), .send(.upstream))
        flow(.sent(.upstream, 0), count: 99)
        flow(.received(.upstream), count: 1, gives: .data(.upstream, 1, at: 99, 1), .pause(.upstream))
    }

    @Test("Pauses once, however much comes after")
    func once() {
        var flow = Playbook.connected(.tcp, small)
        flow(.received(.downstream), count: 100, gives: .data(.downstream, 0, at: 0, 100), .send(.downstream))
        flow(.sent(.downstream, 0), count: 100, gives: .pause(.downstream))
        flow(.received(.downstream), count: 100, gives: .data(.downstream, 1, at: 100, 100))
    }

    @Test("Reads on at the low watermark, not one byte before, and only once")
    func low() {
        var flow = Playbook.connected(.tcp, small)
        flow(.received(.upstream), count: 150, gives: .data(.upstream, 0, at: 0, 150), .send(.upstream))
        flow(.sent(.upstream, 50), count: 150, gives: .pause(.upstream))
        flow(.sent(.upstream, 59), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 1), gives: .resume(.upstream), .sendQueued(.upstream))
        flow(.sent(.upstream, 1), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 39))
    }

    @Test("Does not flap between the watermarks")
    func noFlapping() {
        var flow = Playbook.connected(.tcp, small)
        flow(.received(.upstream), count: 100, gives: .data(.upstream, 0, at: 0, 100), .send(.upstream))
        flow(.sent(.upstream, 0), count: 100, gives: .pause(.upstream))
        flow(.sent(.upstream, 60), gives: .resume(.upstream), .sendQueued(.upstream))
        flow(.received(.upstream), count: 59, gives: .data(.upstream, 1, at: 100, 59))
        flow(.sent(.upstream, 30), gives: .sendQueued(.upstream))
        flow(.received(.upstream), count: 31, gives: .data(.upstream, 2, at: 159, 31), .pause(.upstream))
    }

    @Test("Does not pause for what the kernel took")
    func taken() {
        var flow = Playbook.connected(.tcp, small)
        flow(.received(.upstream), count: 500, gives: .data(.upstream, 0, at: 0, 500), .send(.upstream))
        flow(.sent(.upstream, 450), count: 500)
    }

    @Test("Does not read on where the other side has reset meanwhile")
    func resumeAfterReset() {
        var flow = Playbook.connected(.tcp, small)
        flow(.received(.upstream), count: 100, gives: .data(.upstream, 0, at: 0, 100), .send(.upstream))
        flow(.sent(.upstream, 0), count: 100, gives: .pause(.upstream))
        flow(
            .aborted(.downstream, .connectionReset),
            gives: .dropped(.upstream, 100, .reset),
            .wake(at: .seconds(1))
        )
        flow(.writable(.upstream))
        flow.advance(by: .milliseconds(1))
        flow(.wake, gives: .wake(at: .seconds(1)))
    }
}
