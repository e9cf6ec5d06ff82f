/// A stage between the reassembly of a flow and its readers, which gives them what its streams hold: the plaintext of TLS.
///
/// It gives pieces in the order in which they can be read. Their offsets count what it gives, so that pieces of a direction
/// follow each other without a break.
public protocol StreamStage: Sendable {
    /// A closure that receives a piece of a stream; the bytes are lent for the call.
    typealias Receiver = (StreamPiece, RawSpan) -> Void

    /// Takes the next piece of a direction.
    mutating func add(_ piece: StreamPiece, _ bytes: RawSpan, to receiver: Receiver)

    /// Swaps upstream and downstream, because the client turned out to be the other side.
    mutating func turn()

    /// Gives what waits for further bytes, because none will arrive.
    mutating func finish(to receiver: Receiver)
}

/// A source of stages, one for each TCP flow.
public protocol StreamStages: AnyObject, Sendable {
    /// Returns the stage of a flow.
    ///
    /// - Parameter flow: The number of the flow, which its pieces have.
    /// - Returns: The stage.
    func stage(of flow: Int) -> any StreamStage
}
