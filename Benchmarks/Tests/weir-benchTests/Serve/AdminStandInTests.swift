import Testing

@testable import weir_bench

@Suite("The stand-in for the control API", .timeLimit(.minutes(1)))
struct AdminStandInTests {
    @Test("It answers all calls of a caller, whose rate is counted, and both end")
    func answers() throws {
        let standIn = try AdminStandIn()
        let serving = try WorkerThread { standIn.run() }
        let caller = AdminCaller(port: standIn.port, callsPerSecond: 100_000)
        #expect(caller.rate == 0)
        let calling = try WorkerThread { caller.run() }
        while caller.answered < 4 * AdminStandIn.answers.count {}
        #expect(caller.rate > 0)
        caller.stop()
        calling.join()
        standIn.stop()
        serving.join()
    }
}
