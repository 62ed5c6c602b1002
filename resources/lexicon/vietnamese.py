"""The words of Vietnamese titles."""

from lexicon.words import Language

VIETNAMESE = Language(
    products={
        "FASHION": (
            "áo thun, áo sơ mi, áo khoác, áo len, áo kiểu / -, tay dài, tay ngắn, form rộng",
            "quần tây, quần thể thao, chân váy, đầm xoè / -, lưng cao, lưng thun, xếp ly",
            "giày thể thao, giày lười, dép lê, guốc / -, đế bằng, đế cao, đi mưa",
            "túi đeo chéo, balo, ví cầm tay, túi xách / -, mini, chống nước, du lịch",
            "mũ lưỡi trai, nón vành, khăn choàng / -, đi biển, che nắng",
            "áo dài, đồ bộ, váy ngủ / -, cách tân, mặc nhà, hai dây",
        ),
        "HEALTH_BEAUTY": (
            "kem dưỡng da, kem chống nắng, sữa rửa mặt, tinh chất, mặt nạ / -, trà xanh, nghệ vàng",
            "son môi, phấn nền, phấn má, chuốt mi / -, lâu trôi, dạng kem, mịn lì",
            "dầu gội, dầu xả, kem ủ tóc, thuốc nhuộm tóc / -, bồ kết, thảo dược, đen bóng",
            "dầu gió xanh, cao xoa bóp, dầu tràm, miếng dán / -, ấm nóng, dạng lăn",
            "viên uống, bột nghệ đen, mật ong, trà gừng / -, đẹp da, hộp quà",
            "bàn chải răng, kem đánh răng, nước súc miệng / -, than tre, bạc hà, trẻ em",
        ),
        "ELECTRONICS": (
            "tai nghe, loa, micro, đài / -, không dây, chống ồn, mini",
            "cáp sạc, củ sạc, pin dự phòng, ổ cắm / -, nhanh, du lịch, đa năng",
            "chuột máy tính, bàn phím, màn hình, tấm lót chuột / -, chơi game, văn phòng",
            "máy ảnh, camera hành trình, ống kính, chân máy / -, ban đêm, ngoài trời",
            "quạt, nồi cơm điện, máy xay, bàn ủi, ấm đun nước / -, mini, cầm tay, tiết kiệm điện",
            "ốp lưng, kính cường lực, giá đỡ điện thoại / -, chống sốc, gấp gọn",
        ),
        "HOME_FURNITURE": (
            "bàn học, bàn trà, bàn ăn, kệ sách, kệ giày / -, gấp gọn, treo tường, nhiều tầng",
            "ghế, ghế đẩu, ghế dài, ghế lười / -, thư giãn, ban công, trẻ em",
            "ga giường, vỏ gối, chăn, nệm / -, phòng ngủ, mùa hè, mùa đông",
            "rèm cửa, thảm, khăn trải bàn / -, phòng khách, nhà tắm, chống nắng",
            "bình hoa, chậu hoa, đồng hồ treo tường, gương, khung ảnh / -, để bàn, trang trí",
            "nồi, chảo, thớt, hũ gia vị, ấm trà / -, chống dính, có nắp, nhà bếp",
        ),
        "MOTORS": (
            "nhớt xe máy, nhớt hộp số, dầu phanh, nước làm mát / -, xe số, xe tay ga",
            "má phanh, đĩa phanh, dây ga, nhông sên dĩa, lọc gió / -, trước, sau, độ",
            "lốp xe, săm xe, vành xe / -, không ruột, trước, sau",
            "mũ bảo hiểm, găng tay, áo mưa, áo giáp / -, nửa đầu, đi phượt, trẻ em",
            "đèn xi nhan, đèn pha, còi xe, gương chiếu hậu, bugi / -, ô tô, xe máy, trợ sáng",
            "bọc yên, bọc vô lăng, thảm lót sàn, bạt phủ xe, nước hoa ô tô / -, bốn mùa, loại dày",
        ),
        "OTHER": (
            "gạo lứt đỏ, đậu xanh, đậu đen, trà xanh, mè trắng / -, hữu cơ, nguyên hạt",
            "bánh tráng, cơm cháy, khô gà, mứt dừa / -, cay, giòn, gói lớn",
            "vở kẻ ngang, bút bi, bút màu, bảng trắng, giấy gấp / -, học sinh, văn phòng",
            "gấu bông, xe đồ chơi, xếp hình, diều / -, thông minh, cỡ lớn",
            "hạt cho mèo, cát vệ sinh, lồng chim / -, khử mùi, loại mini",
            "vợt cầu lông, bóng đá, thảm yoga, dây nhảy / -, tập luyện, người mới",
        ),
    },
    materials={
        "FASHION": "cotton, kaki, lụa, len, da, da bò, vải thô, jean, nỉ, đũi, voan, thun lạnh",
        "HEALTH_BEAUTY": "tre, thuỷ tinh, silicon, gỗ",
        "ELECTRONICS": "nhựa, nhôm, silicon, thuỷ tinh, da, gỗ",
        "HOME_FURNITURE": "gỗ, gỗ sồi, tre, mây, nhựa, inox, sắt, thuỷ tinh, gốm, cotton, lụa",
        "MOTORS": "cao su, thép, nhôm, da, inox, nhựa, vải dù",
        "OTHER": "gỗ, giấy, nhựa, cao su, cotton, nỉ",
    },
    colors="đen, trắng, đỏ, xanh, vàng, xanh lá, xanh dương, nâu, xám, hồng, tím, cam, be, kem,"
    " bạc,"
    " xanh rêu, đỏ đô, hồng phấn",
    patterns="trơn, kẻ sọc, caro, hoa, hoa nhí, chấm bi, rằn ri, da báo, loang, lá cây",
    groups="nam, nữ, trẻ em, bé, bé gái, bé trai, người lớn, mẹ bầu, nam nữ, học sinh, người già,"
    " trẻ sơ sinh, người mới, tuổi teen",
    cues={
        "MATERIAL": "-, chất liệu, bằng",
        "COLOR": "-, -, màu",
        "PATTERN": "-, hoạ tiết",
        "CONSUMER_GROUP": "-, cho, dành cho",
    },
    gift_cues="tặng kèm, tặng, +, kèm",
    fit_cue="cho",
    ads="giá rẻ, hàng chính hãng, giá sỉ, freeship, miễn phí vận chuyển, bảo hành 12 tháng,"
    " siêu bền,"
    " giảm giá sốc, hàng có sẵn, mẫu mới 2023, cao cấp, bán chạy, xả kho, loại 1, hàng nhập,"
    " giao nhanh 2 giờ, mua 2 tặng 1, đổi trả 7 ngày, hot, ảnh thật, rẻ vô địch, sale cuối tuần",
    traps="giờ vàng giá sốc, thẻ bạc tích điểm, hộp giấy cứng, sản phẩm xanh, tặng thiệp hoa,"
    " Thứ Sáu Đen, đóng thùng gỗ, bọc nhựa chống sốc, hàng Việt Nam, giao nhanh miền Nam, deal đỏ",
    category_traps={
        "FASHION": "mềm mịn cho da, tôn da trắng, không hại da, nút nhựa, khoá kéo bạc",
        "HEALTH_BEAUTY": "cho da dầu, dành cho da khô, tóc đen mượt, hương hoa hồng,"
        " răng trắng sáng,"
        " mờ thâm đen, trắng hồng da, chai thuỷ tinh, da trơn láng",
        "ELECTRONICS": "ánh vàng ấm, khoá trẻ em, màn hình trắng đen, lõi bọc nhựa, đèn báo xanh,"
        " vân da tay",
        "HOME_FURNITURE": "chân bọc cao su, không mối gỗ, bo góc an toàn trẻ em, hợp sàn gỗ,"
        " ốc inox",
        "MOTORS": "ánh sáng trắng, biển số vàng, chống gỉ sắt, vạch đỏ, không nứt nhựa, kim xanh",
        "OTHER": "vị cam, vị kem dâu, nhân đậu đỏ, không phẩm vàng, bé nào cũng thích, bìa trơn",
    },
    companions="Nhà, Đỏ, Hoa, Gỗ, Bé, Xanh, Vàng, Tre",
    notices="phụ phí giao hàng đơn #, không đặt mua mã #, link thanh toán bù #, thêm xốp bọc # lớp,"
    " đơn riêng khách hàng #",
    orders=(
        "PRODUCT CONSUMER_GROUP BRAND MATERIAL COLOR SIZE AD TRAP",
        "AD PRODUCT BRAND LINE SIZE COLOR AD GIFT",
        "PRODUCT LINE FIT BRAND COLOR TRAP AD",
        "PRODUCT ALSO PATTERN CONSUMER_GROUP MATERIAL COLOR AD AD",
        "BRAND LINE TRAP PRODUCT MATERIAL PATTERN COLOR SIZE",
        "GIFT AD PRODUCT FIT SIZE CONSUMER_GROUP ALSO TRAP LINE BRAND",
    ),
)
