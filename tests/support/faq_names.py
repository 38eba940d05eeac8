"""What an owner of the unseen businesses would write into `Também:` lines: other words for each topic.

Written from the bases alone, by somebody who had not read the questions of `faq_unseen`: as an owner knows the topics and
not what will be asked. No word was changed since. Scored five times, first 25, 27, 25 and 22 of 30: two thresholds were
tried, and one rule of the FAQ was mended because an older table wanted it.
"""

from tests.support.faq_unseen import GUESTHOUSE, GYM, LAUNDRY, PLUMBER, UnseenTable

NAMES: dict[str, dict[str, str]] = {
    GUESTHOUSE.name: {
        "Nossos chalés": "quartos, acomodações, suíte, o que tem no quarto, lareira, hidro, cama, toalha, secador",
        "Quanto sai a diária": "preço, valor, quanto custa, tarifa, pacote, mínimo de noites, cama extra, promoção",
        "Café da roça": "café da manhã, comida, vegano, sem glúten, sem lactose, alergia",
        "Check-in e check-out": "horário de entrada, horário de saída, chegar cedo, chegar tarde, chegar de noite, sair mais tarde",
        "Para reservar": "reserva, disponibilidade, tem vaga, sinal, depósito, entrada",
        "Mudou de planos?": "cancelar, cancelamento, mudar a data, remarcar, devolução, reembolso, desistir",
        "Jeitos de acertar a conta": "pagamento, pagar, parcelar, cartão, pix, nota fiscal",
        "Bichinhos": "cachorro, pet, animais, gato, levar meu cão",
        "A garotada": "crianças, filhos, bebê, berço, criança paga, brinquedos, parquinho",
        "Piscina e ofurô": "piscina, banheira, hidromassagem, jacuzzi, spa, água quente",
        "Noite de fondue": "jantar, restaurante, almoço, comer à noite, refeições",
        "O caminho": "endereço, localização, como chegar, estrada, ônibus, onde fica, distância, transporte",
        "Onde fica o carro": "estacionamento, garagem, vaga, segurança",
        "Internet e sinal": "wifi, wi-fi, senha, celular pega, trabalhar, home office",
        "Passeios": "o que fazer, trilha, cachoeira, cavalo, turismo, atrações",
        "Silêncio, gente": "barulho, som, música, festa, visita, regras",
        "A pousada inteira só sua": "casamento, evento, grupo, fechar a pousada, aniversário, festa, excursão",
        "Mimos": "decoração, lua de mel, romântico, aniversário de namoro, surpresa, presente, pedido de casamento",
        "Cigarro": "fumar, fumante, vape, charuto",
        "E o frio?": "aquecimento, aquecedor, inverno, lenha, temperatura, cobertor",
        "Fale com a Neide": "telefone, contato, whatsapp, email, ligar, falar com alguém",
    },
    GYM.name: {
        "Portas abertas": "horário de funcionamento, que horas abre, que horas fecha, feriado, domingo",
        "Planos": "preço, mensalidade, valor, quanto custa, matrícula, anual, fidelidade",
        "Experimente": "aula experimental, aula teste, diária, treinar um dia, conhecer, grátis",
        "Para virar aluno": "inscrição, cadastro, documentos, atestado, exame médico, como me matricular, começar",
        "Grade das coletivas": "aulas, spinning, pilates, zumba, funcional, luta, muay thai, horário das aulas, dança",
        "Reserva pelo app": "agendar aula, aplicativo, lista de espera, vaga na aula, faltar, desmarcar aula",
        "Ficha e professores do salão": "treino, instrutor, professor, iniciante, série, ajuda com os aparelhos",
        "Personal": "personal trainer, treinador particular, acompanhamento individual",
        "Avaliação física": "bioimpedância, medidas, percentual de gordura, nutricionista, peso",
        "Dar um tempo": "trancar, pausar, congelar, férias, viagem, parar um mês, grávida, cirurgia",
        "Despedida": "cancelar, encerrar, sair da academia, multa, rescisão",
        "Cobrança": "pagamento, pagar, boleto, cartão, pix, atrasado, catraca bloqueada, vencimento",
        "Apps e empresas": "gympass, wellhub, totalpass, convênio, empresa parceira, desconto",
        "Vestiário e armários": "banho, chuveiro, toalha, cadeado, guardar a bolsa, perdi, esqueci, achados e perdidos",
        "A moçada": "idade mínima, menor de idade, adolescente, criança, meu filho",
        "Turma 60+": "idosos, terceira idade, aposentado, minha mãe, meu pai, senhor",
        "Boa convivência": "regras, roupa, tênis, filmar, gravar, regata, chinelo",
        "Onde é": "endereço, localização, como chegar, estacionamento, carro, moto, onde fica",
        "Contatos": "telefone, whatsapp, email, instagram, falar com a recepção",
    },
    PLUMBER.name: {
        "Burst pipe? Read this first": "water everywhere, flood, emergency, stopcock, turn the water off, water pouring, leak through the ceiling",
        "After dark and weekends": "emergency call out, out of hours, sunday, saturday night, evening, tonight, bank holiday",
        "Ordinary hours": "opening hours, open, what time, working hours, saturday morning",
        "Our patch": "area, where do you cover, do you come to, how far, postcode, travel",
        "What we charge": "price, cost, how much, hourly rate, call out charge, vat, discount, pensioner",
        "Free estimates": "quote, estimate, ballpark, price for a job, come and look, photos",
        "Getting a slot": "appointment, book, how soon, when can you come, available, what time will you come",
        "Can't be in after all?": "cancel, change the day, reschedule, not home, missed appointment",
        "Boilers": "heating, no hot water, boiler repair, new boiler, boiler service, combi",
        "Gas": "gas leak, smell gas, landlord certificate, gas safe, gas cooker",
        "Drains and toilets": "blocked, clogged, toilet won't flush, overflowing, smell, sink won't drain, sewer",
        "Bathrooms from top to bottom": "new bathroom, refit, shower room, bath, tiling, renovation",
        "Taps, showers and little leaks": "dripping tap, leaking, low pressure, shower not working, toilet running, washing machine",
        "Radiators": "cold radiator, radiator not getting warm, bleed, thermostat, hive, nest, heating upstairs",
        "Our promise": "guarantee, warranty, insured, complaint, came back, not fixed, refund",
        "Settling up": "pay, payment, card, cash, instalments, deposit, finance, invoice",
        "Who turns up": "who comes, plumber's name, trust, id, dbs, woman, shoes",
        "Come and work here": "job, apprenticeship, vacancy, hiring, work experience, cv",
    },
    LAUNDRY.name: {
        "Aquí estamos": "dirección, ubicación, dónde están, cómo llego, calle, local",
        "Cuándo abrimos": "horario, a qué hora abren, a qué hora cierran, domingo, sábado",
        "Por kilo": "precio, cuánto cuesta lavar, lavado y doblado, ropa sucia, mínimo, ropa blanca, encargo",
        "Autoservicio": "lavadora, secadora, lavar yo mismo, monedas, jabón, detergente",
        "Tintorería en seco": "traje, vestido, saco, abrigo, corbata, lavado en seco, boda",
        "Lo voluminoso": "edredón, cobija, almohada, cortina, cobertor, colcha, grande",
        "Tenis": "zapatos, zapatillas, calzado, botas",
        "Planchado": "planchar, camisas, pantalón, arrugas",
        "¡Lo quiero hoy!": "urgente, exprés, el mismo día, rápido, para hoy, prisa",
        "Pasamos por tu ropa": "a domicilio, recoger, entrega, servicio a casa, pasan por, envío",
        "Manchas rebeldes": "mancha, vino, grasa, sangre, se manchó, quitar",
        "Pieles delicadas": "alergia, bebé, sin perfume, hipoalergénico, jabón, niño",
        "Si algo sale mal": "queja, perdida, dañada, rota, encogió, me falta, reclamación, garantía, olvidé en el bolsillo",
        "¿Se te olvidó recoger?": "no he ido por mi ropa, cuánto tiempo guardan, dejé mi ropa hace, recoger después, almacenaje",
        "Con qué se paga": "pago, tarjeta, efectivo, transferencia, factura, pagar",
        "Negocios": "hotel, restaurante, empresa, salón, gimnasio, mayoreo, uniformes, toallas, contrato",
        "Diez sellos": "descuento, promoción, cliente frecuente, tarjeta de lealtad, gratis",
        "Escríbenos": "teléfono, whatsapp, contacto, correo, número, hablar con alguien",
    },
}  # fmt: skip


class NamedTable(UnseenTable):
    """An unseen business whose owner wrote other words for the topics."""

    @property
    def markdown(self) -> str:
        called = NAMES[self.name]
        lines = super().markdown.splitlines()
        said = [f"{line}\nTambém: {called[line[3:]]}" if line.startswith("## ") else line for line in lines]
        return "\n".join(said)


TABLES = tuple(NamedTable(*table) for table in (GUESTHOUSE, GYM, PLUMBER, LAUNDRY))
