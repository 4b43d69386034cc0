import Foundation
import Testing

@testable import MailCodec
@testable import Mime
